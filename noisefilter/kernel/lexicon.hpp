// The first stage: terms of one paragraph, TF-IDF, and the regression over families of kinds.
#pragma once

#include <algorithm>
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
    Grams characters;
    Rows rows;
    size_t families = 0, shortest = 0, longest = 0, looked_at = 0;
    size_t word_columns = 0, columns = 0;
    std::vector<double> intercept;
    std::vector<uint64_t> powers;
    std::vector<double> logs;

    // `coef_halves` are the bytes of (families, columns) in IEEE half precision, wherever in memory they begin.
    void build(std::string_view word_list, std::string_view character_list, const float* word_idf, size_t word_count,
               const float* character_idf, size_t character_count, const unsigned char* coef_halves,
               size_t coef_bytes, const double* intercepts, size_t family_count) {
        words = Terms(word_list);
        word_columns = words.size();
        characters.build(character_list, word_columns, shortest);
        const size_t character_columns = lines_of(character_list);
        columns = word_columns + character_columns;
        families = family_count;
        if (coef_bytes != columns * families * sizeof(uint16_t) || word_columns != word_count ||
            character_columns != character_count)
            throw std::invalid_argument("the weights do not match the terms");
        if (word_columns == 0 || character_columns == 0) throw std::invalid_argument("there are no terms");
        intercept.assign(intercepts, intercepts + families);
        rows.build(coef_halves, families, columns, [&](size_t column) {
            return column < word_columns ? word_idf[column] : character_idf[column - word_columns];
        });
        powers.assign(words.longest() + 2, 1);
        for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * BASE;
        logs.assign(64, 0.0);
        for (size_t i = 1; i < logs.size(); ++i) logs[i] = std::log(static_cast<double>(i));
    }

    void set_telling(size_t column, bool telling) { rows.set_telling(column, telling); }

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

    // The terms of a paragraph are listed first, which fetches them, and then looked up.
    void list_words(const Text& t, Desk& desk) const {
        Line &sequence = desk.sequence, &shapes = desk.shapes, &extras = desk.extras;
        for (Line* line : {&sequence, &shapes, &extras}) line->clear();
        desk.raised.clear();
        sequence.add("<s>");
        const Hints has(t);
        for (size_t i = 0; i < t.size;) {
            if (t.space(i)) {
                ++i;
                continue;
            }
            const Token token = token_at(t, i, has);
            take(t, token, {i, token.end}, desk);
            i = token.end;
        }
        sequence.add("</s>");
        add_extras(t, desk);
        sequence.close();
        extras.close();
        const size_t count = sequence.count();
        desk.wanted.resize(2 * count + extras.count());
        Desk::Wanted* wanted = desk.wanted.data();
        for (size_t at = 0; at + 1 < count; ++at) {
            if (at > 0) wanted += want(sequence, sequence.at(at), *wanted);
            wanted += want(sequence, sequence.over(at, at + 1), *wanted);
        }
        for (size_t at = 0; at < extras.count(); ++at) wanted += want(extras, extras.at(at), *wanted);
        desk.wanted.resize(static_cast<size_t>(wanted - desk.wanted.data()));
        for (Desk::Wanted& one : desk.wanted) one.likely = words.likely(one.hash);
    }

    void list_characters(const Text& t, Desk& desk) const {
        desk.grams.clear();
        if (t.size <= 2 * looked_at) {
            read_stretch(t, 0, t.size, true, true, desk);
        } else {
            read_stretch(t, 0, looked_at, true, false, desk);
            read_stretch(t, t.size - looked_at, t.size, false, true, desk);
        }
        for (Desk::Gram& gram : desk.grams) gram.likely = characters.likely(gram.key);
    }

    void look_up(Desk& desk) const {
        for (const Desk::Wanted& one : desk.wanted) meet(words.find(one.hash, one.term, one.likely), desk);
        while (!desk.grams.empty()) {  // what is no term comes again, a character shorter
            uint32_t* met = desk.tally.open(Grams::MOST_COLUMNS * desk.grams.size());
            size_t left = 0;
            for (const Desk::Gram& gram : desk.grams) {
                const Grams::Slot& slot = characters.find(gram.key, gram.likely);
                for (size_t n = 0; n < Grams::MOST_COLUMNS; ++n) {
                    met[n] = static_cast<uint32_t>(slot.columns[n]);
                    rows.fetch(met[n]);
                }
                met += slot.count;
                desk.grams[left] = gram;
                desk.grams[left].size = slot.free() ? gram.size - 1 : slot.rest;
                left += desk.grams[left].size >= shortest;
            }
            desk.tally.close(met);
            desk.grams.resize(left);
            for (Desk::Gram& gram : desk.grams) {
                gram.key.cut(gram.size);
                gram.likely = characters.likely(gram.key);
            }
        }
    }

    void count_word(std::string_view term, Desk& desk) const { meet(words.find(term), desk); }
    void count_character(std::string_view gram, Desk& desk) const { meet(characters.find(gram), desk); }

    // Probabilities of the families from what was counted; tells whether a term showed that the paragraph is known.
    bool finish(Desk& desk, double* shares) const {
        const Tally::Counted terms = desk.tally.empty();
        Held& held = desk.held;
        held.rows.resize(terms.size);
        held.values.resize(terms.size);
        bool known = false;
        for (size_t n = 0; n < terms.size; ++n) {
            const unsigned char* row = held.rows[n] = rows.at(terms.columns[n]);
            const size_t count = terms.counts[n];
            known |= Rows::telling(row);
            const double log = count < logs.size() ? logs[count] : std::log(static_cast<double>(count));
            held.values[n] = (log + 1.0) * Rows::idf(row);
        }
        const size_t of_words = static_cast<size_t>(
            std::lower_bound(terms.columns, terms.columns + terms.size, word_columns) - terms.columns);
        const auto to_unit = [&](size_t from, size_t to) {
            double square = 0.0;
            for (size_t n = from; n < to; ++n) square += held.values[n] * held.values[n];
            const double norm = std::sqrt(square);
            if (norm > 0)
                for (size_t n = from; n < to; ++n) held.values[n] /= norm;
        };
        to_unit(0, of_words);
        to_unit(of_words, terms.size);
        auto& sums = desk.sums;
        rows.add_up(held, sums);
        double most = -HUGE_VAL, total = 0.0;
        for (size_t f = 0; f < families; ++f) most = std::max(most, sums[f] += intercept[f]);
        for (size_t f = 0; f < families; ++f) total += shares[f] = std::exp(sums[f] - most);
        for (size_t f = 0; f < families; ++f) shares[f] /= total;
        return known;
    }

  private:
    void meet(int32_t column, Desk& desk) const {
        if (column < 0) return;
        rows.fetch(static_cast<size_t>(column));  // its weights will be wanted soon
        desk.tally.add(static_cast<size_t>(column));
    }

    void take(const Text& t, Token token, Span span, Desk& desk) const {
        Line &sequence = desk.sequence, &shapes = desk.shapes;
        switch (token.kind) {
            case Kind::word: {
                sequence.start();
                char* to = sequence.room(LONGEST_CHARACTER * span.size());
                for (size_t i = span.start; i < span.end; ++i) to = encode(t.lower(i), to);
                sequence.filled(to);
                sequence.end();
                const std::string_view shape = shape_of(t, span);
                shapes.add(shape);
                if (shape == "XX") desk.raised.push_back(sequence.last());
                return;
            }
            case Kind::number:
                number_shape(t, span, sequence);
                shapes.add("9");
                return;
            case Kind::mark: {
                for (Line* line : {&sequence, &shapes}) {
                    line->start();
                    line->put(t.at[span.start]);
                    line->end();
                }
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
            sequence.put('<');
            for (size_t i = span.start; i < span.end; ++i) sequence.put(t.decimal(i) ? uint16_t{'9'} : t.at[i]);
            sequence.put('>');
            sequence.end();
        }
    }

    // What case, place and shapes tell besides.
    static void add_extras(const Text& t, Desk& desk) {
        Line& extras = desk.extras;
        const auto add = [&](std::string_view front, const Line& line, Span span) {
            extras.start();
            extras.put(front);
            extras.put(line.text(span));
            extras.end();
        };
        for (const Span& span : desk.raised) add("UP:", desk.sequence, span);
        const Span cue = cue_of(t);
        if (cue.size()) {
            extras.start();
            extras.put("cue:");
            for (size_t i = cue.start; i < cue.end; ++i) extras.put(t.lower(i));
            extras.end();
            extras.add("<cue>");
        }
        const Line& shapes = desk.shapes;
        const size_t many = shapes.count();
        for (size_t size = 1; size <= 4 && size <= many; ++size) add("first:", shapes, shapes.over(0, size - 1));
        for (size_t size = 1; size <= 3 && size <= many; ++size)
            add("last:", shapes, shapes.over(many - size, many - 1));
        if (many == 0) extras.add("whole:");
        else if (many <= 8) add("whole:", shapes, shapes.over(0, many - 1));
    }

    // Tells whether a stretch of a line may be a term, which then is wanted.
    bool want(const Line& line, Span span, Desk::Wanted& one) const {
        if (span.size() > words.longest()) return false;
        one.hash = mixed(line.hash(span, powers));
        one.term = line.text(span);
        return words.may_hold(one.hash);
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
        size_t grams = desk.grams.size();
        desk.grams.resize(grams + size);
        for (size_t start = 0; start + shortest <= size; ++start) {
            const size_t most = std::min(size - start, longest), packed = std::min(most, window);
            Desk::Gram gram{{}, 0, 0};  // the longest that may be a term
            for (size_t n = shortest; n <= packed; ++n) {
                Packed cut = key;
                if (n < window) cut.cut(n);
                const bool may = characters.may_hold(cut);
                gram.size = may ? n : gram.size;
                gram.key.low = may ? cut.low : gram.key.low;
                gram.key.high = may ? cut.high : gram.key.high;
            }
            desk.grams[grams] = gram;
            grams += gram.size > 0;
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
        desk.grams.resize(grams);
    }
};

}  // namespace noisefilter
