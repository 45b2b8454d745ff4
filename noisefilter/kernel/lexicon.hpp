// The first stage: terms of one paragraph, TF-IDF, and the regression over families of kinds.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "desk.hpp"
#include "tables.hpp"
#include "tokens.hpp"

namespace noisefilter {

struct Lexicon {
    Terms words;
    Shorts characters;
    size_t families = 0, stride = 0, shortest = 0, longest = 0, looked_at = 0;
    size_t word_columns = 0, columns = 0;
    std::vector<double> intercept;
    LargeVector<float> table;  // a row for each term: its weight for each family, its IDF, whether it is telling, padding
    std::vector<int32_t> shorter;  // for each term of characters, the longest other one that it begins with
    std::vector<uint64_t> powers;
    std::vector<double> logs;

    // `coef_halves` are the bytes of (families, columns) in IEEE half precision, wherever in memory they begin.
    void build(std::string_view word_list, std::string_view character_list, const float* word_idf, size_t word_count,
               const float* character_idf, size_t character_count, const unsigned char* coef_halves, size_t coef_bytes, const double* intercepts,
               size_t family_count) {
        words = Terms(word_list);
        characters = Shorts(character_list);
        word_columns = words.size();
        const size_t character_columns = lines_of(character_list);
        columns = word_columns + character_columns;
        families = family_count;
        if (coef_bytes != columns * families * sizeof(uint16_t) || word_columns != word_count || character_columns != character_count)
            throw std::invalid_argument("the weights do not match the terms");
        intercept.assign(intercepts, intercepts + families);
        stride = (families + 2 + 3) / 4 * 4;
        table.resize(columns * stride);
        constexpr size_t BLOCK = 64;  // terms at a time: both sides stay in the cache
        std::vector<float> block(families * BLOCK);
        bool finite = true;
        for (size_t begin = 0; begin < columns; begin += BLOCK) {
            const size_t count = std::min(columns - begin, BLOCK);
            for (size_t family = 0; family < families; ++family)
                finite &= widen(coef_halves + (family * columns + begin) * sizeof(uint16_t), count, &block[family * BLOCK]);
            float* row = &table[begin * stride];
            for (size_t n = 0; n < count; ++n, row += stride) {
                for (size_t family = 0; family < families; ++family) row[family] = block[family * BLOCK + n];
                const size_t column = begin + n;
                std::fill(row + families, row + stride, 0.0f);
                row[families] = column < word_columns ? word_idf[column] : character_idf[column - word_columns];
            }
        }
        if (!finite) throw std::invalid_argument("lexical_coef is not finite");
        shorten(character_list);
        powers.assign(words.longest() + 2, 1);
        for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * BASE;
        logs.assign(64, 0.0);
        for (size_t i = 1; i < logs.size(); ++i) logs[i] = std::log(static_cast<double>(i));
    }

    // A term that is telling shows that a paragraph can be known.
    void set_telling(size_t column, bool telling) { table[column * stride + families + 1] = telling; }

    // Half precision to single; tells whether all are finite.
    static bool widen(const unsigned char* halves, size_t count, float* singles) {
        uint32_t most = 0;
        for (size_t n = 0; n < count; ++n) {
            uint16_t half;
            std::memcpy(&half, halves + n * sizeof half, sizeof half);
            const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16, rest = half & 0x7fff;
            const float subnormal = static_cast<float>(static_cast<int32_t>(rest)) * 0x1p-24f;
            uint32_t bits;
            std::memcpy(&bits, &subnormal, sizeof bits);
            bits = sign | (rest < 0x400 ? bits : (rest << 13) + (112u << 23));
            std::memcpy(&singles[n], &bits, sizeof bits);
            most = std::max(most, rest);
        }
        return most < 0x7c00;
    }

    // Marks the terms that show a paragraph to be known: two letters, and more than a shape, as it starts with one
    // of `shapes`. Of the terms that hold more than ASCII only Python can tell the letters: they are `asked`.
    void tell(std::string_view list, size_t start, const std::vector<std::string>& shapes,
              std::vector<std::pair<size_t, std::string>>& asked) {
        each_line(list, [&](std::string_view term, int32_t line) {
            for (const std::string& shape : shapes)
                if (term.substr(0, shape.size()) == shape) return;
            const size_t column = start + static_cast<size_t>(line);
            size_t letters = 0;
            uint8_t plain = 1;
            for (unsigned char byte : term) {
                letters += static_cast<unsigned char>((byte | 0x20) - 'a') < 26;
                plain &= byte < 0x80;
            }
            if (plain) set_telling(column, letters >= 2);
            else asked.emplace_back(column, term);
        });
    }

    void read_words(const Text& t, Desk& desk) const {
        Line &sequence = desk.sequence, &shapes = desk.shapes;
        sequence.clear();
        shapes.clear();
        desk.raised.clear();
        desk.wanted.clear();
        sequence.add("<s>");
        bool has_at = false;
        for (size_t i = 0; i < t.size; ++i) has_at |= t.at[i] == '@';
        for (size_t i = 0; i < t.size;) {
            if (t.space(i)) {
                ++i;
                continue;
            }
            const Token token = token_at(t, i, has_at);
            take(t, token, {i, token.end}, desk);
            i = token.end;
        }
        sequence.add("</s>");
        sequence.close();
        shapes.close();
        const size_t count = sequence.count();
        for (size_t at = 0; at + 1 < count; ++at) {
            if (at > 0) count_span(sequence, sequence.over(at, at), desk);
            count_span(sequence, sequence.over(at, at + 1), desk);
        }
        for (const Span& span : desk.raised) count_behind("UP:", sequence, span, desk);
        const Span cue = cue_of(t);
        if (cue.size()) {
            desk.scratch = "cue:";
            for (size_t i = cue.start; i < cue.end && desk.scratch.size() <= words.longest(); ++i)
                encode(t.lower(i), desk.scratch);
            meet(words.find(desk.scratch), 0, desk);
            meet(words.find("<cue>"), 0, desk);
        }
        const size_t many = shapes.count();
        for (size_t size = 1; size <= 4 && size <= many; ++size)
            count_behind("first:", shapes, shapes.over(0, size - 1), desk);
        for (size_t size = 1; size <= 3 && size <= many; ++size)
            count_behind("last:", shapes, shapes.over(many - size, many - 1), desk);
        if (many == 0) meet(words.find("whole:"), 0, desk);
        else if (many <= 8) count_behind("whole:", shapes, shapes.over(0, many - 1), desk);
        for (const Desk::Wanted& one : desk.wanted) words.fetch_term(one.hash);
        for (const Desk::Wanted& one : desk.wanted) meet(words.find(one.hash, one.front, one.rest), 0, desk);
    }

    void read_characters(const Text& t, Desk& desk) const {
        desk.grams.clear();
        if (t.size <= 2 * looked_at) {
            read_stretch(t, 0, t.size, true, true, desk);
        } else {
            read_stretch(t, 0, looked_at, true, false, desk);
            read_stretch(t, t.size - looked_at, t.size, false, true, desk);
        }
        for (Desk::Gram& gram : desk.grams) {
            int32_t column = characters.find(gram.key, gram.likely);
            while (column == NONE && gram.size-- > shortest) {
                gram.key.cut(gram.size);
                column = characters.find(gram.key);
            }
            for (; column != NONE; column = shorter[static_cast<size_t>(column)]) meet(column, word_columns, desk);
        }
    }

    void count_word(std::string_view term, Desk& desk) const { meet(words.find(term), 0, desk); }
    void count_character(std::string_view gram, Desk& desk) const {
        meet(characters.find(gram), word_columns, desk);
    }

    // Probabilities of the families from what was counted; tells whether a term showed that the paragraph is known.
    bool finish(Desk& desk, double* shares) const {
        bool known = false;
        auto& held = desk.held;
        held.clear();
        double squares[2] = {0.0, 0.0};
        size_t of_words = 0;
        desk.tally.empty_into([&](size_t column, size_t count) {
            const float* row = &table[column * stride];
            known |= row[families + 1] != 0;
            const double log = count < logs.size() ? logs[count] : std::log(static_cast<double>(count));
            const double value = (log + 1.0) * static_cast<double>(row[families]);
            squares[column >= word_columns] += value * value;
            of_words += column < word_columns;
            held.push_back({row, value});
        });
        const double norms[2] = {std::sqrt(squares[0]), std::sqrt(squares[1])};
        for (size_t n = 0; n < held.size(); ++n)
            if (norms[n >= of_words] > 0) held[n].value /= norms[n >= of_words];
        auto& sums = desk.sums;
        sums.resize(stride);
        if (stride == 20) add_up_20(held.data(), held.size(), sums.data());
        else add_up_any(held.data(), held.size(), stride, sums.data());
        double most = -HUGE_VAL, total = 0.0;
        for (size_t f = 0; f < families; ++f) most = std::max(most, sums[f] += intercept[f]);
        for (size_t f = 0; f < families; ++f) total += shares[f] = std::exp(sums[f] - most);
        for (size_t f = 0; f < families; ++f) shares[f] /= total;
        return known;
    }

  private:
    void shorten(std::string_view list) {
        shorter.assign(lines_of(list), NONE);
        each_line(list, [&](std::string_view term, int32_t column) {
            Packed key;
            size_t size = 0;
            if (!pack(term, key, size)) return;
            while (shorter[static_cast<size_t>(column)] == NONE && size-- > shortest) {
                key.cut(size);
                shorter[static_cast<size_t>(column)] = characters.find(key);
            }
        });
    }

    void meet(int32_t column, size_t start, Desk& desk) const {
        if (column < 0) return;
        const size_t at = start + static_cast<size_t>(column);
        if (desk.tally.add(at)) {  // its weights will be wanted soon
            NOISEFILTER_PREFETCH(&table[at * stride]);
            NOISEFILTER_PREFETCH(&table[at * stride] + 16);
        }
    }

    void take(const Text& t, Token token, Span span, Desk& desk) const {
        Line &sequence = desk.sequence, &shapes = desk.shapes;
        switch (token.kind) {
            case Kind::word: {
                sequence.start();
                const size_t from = sequence.bytes().size();
                for (size_t i = span.start; i < span.end; ++i) encode(t.lower(i), sequence.bytes());
                sequence.end();
                const std::string_view shape = shape_of(t, span);
                shapes.add(shape);
                if (shape == "XX") desk.raised.push_back({from, sequence.bytes().size()});
                return;
            }
            case Kind::number:
                number_shape(t, span, sequence);
                shapes.add("9");
                return;
            case Kind::mark: {
                sequence.start();
                encode(t.at[span.start], sequence.bytes());
                sequence.end();
                shapes.start();
                encode(t.at[span.start], shapes.bytes());
                shapes.end();
                return;
            }
            default: {
                static const char* const NAMES[] = {"<url>", "<mail>", "<handle>", "<hashtag>", "<clock>", "<date>"};
                const std::string_view name = NAMES[static_cast<int>(token.kind)];
                sequence.add(name);
                shapes.add(name.substr(1, name.size() - 2));
            }
        }
    }

    static void number_shape(const Text& t, Span span, Line& sequence) {
        const bool digits = t.decimal(span.start);
        const auto is = [&](size_t i, char c) { return t.is_char(span.start + i, static_cast<uint16_t>(c)); };
        if (span.size() == 4 && ((is(0, '1') && is(1, '9')) || (is(0, '2') && is(1, '0'))) &&
            t.decimal(span.start + 2) && t.decimal(span.start + 3)) {
            sequence.add("<year>");
        } else if (!digits) {
            sequence.add("<money>");
        } else if (span.size() > 3) {
            sequence.add("<number>");
        } else {
            sequence.start();
            sequence.bytes() += '<';
            for (size_t i = span.start; i < span.end; ++i)
                sequence.bytes() += t.decimal(i) ? '9' : static_cast<char>(t.at[i]);
            sequence.bytes() += '>';
            sequence.end();
        }
    }

    void count_span(const Line& line, Span span, Desk& desk) const {
        if (span.size() > words.longest()) return;
        want(line.hash(span, powers), {}, line.text(span), desk);
    }

    void count_behind(std::string_view front, const Line& line, Span span, Desk& desk) const {
        if (front.size() + span.size() > words.longest()) return;
        want(hashed(front) * powers[span.size()] + line.hash(span, powers), front, line.text(span), desk);
    }

    void want(uint64_t hash, std::string_view front, std::string_view rest, Desk& desk) const {
        hash = mixed(hash);
        words.fetch(hash);
        desk.wanted.push_back({hash, front, rest});
    }

    void read_stretch(const Text& t, size_t from, size_t to, bool opens, bool closes, Desk& desk) const {
        const size_t size = to - from + opens + closes;
        const auto character = [&](size_t i) -> uint32_t {
            if (opens && i == 0) return 2;
            if (closes && i + 1 == size) return 3;
            return t.at[from + i - opens];
        };
        const size_t window = std::min(longest, PACKED_MOST);
        Packed key;
        for (size_t n = 0; n < std::min(window, size); ++n) key.put(n, character(n));
        for (size_t start = 0; start + shortest <= size; ++start) {
            const size_t most = std::min(size - start, longest), packed = std::min(most, window);
            if (packed >= shortest) desk.grams.push_back({key, packed, characters.likely(key)});
            key.shift();
            if (start + window < size) key.put(window - 1, character(start + window));
            if (most > PACKED_MOST) {
                desk.scratch.clear();
                for (size_t n = 1; n <= most; ++n) {
                    encode(character(start + n - 1), desk.scratch);
                    if (n > PACKED_MOST && n >= shortest) count_character(desk.scratch, desk);
                }
            }
        }
    }
};

}  // namespace noisefilter
