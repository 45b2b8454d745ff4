// What is read from one paragraph before it is held against the others: see `noisefilter.reading`.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lexicon.hpp"
#include "tables.hpp"
#include "tokens.hpp"

namespace noisefilter {

// One stem that carries a topic; `id` is its number within the article.
struct Stem {
    int32_t id;
    double idf, weight;
};

struct Paragraph {
    std::vector<double> shares;      // probabilities of the families
    std::vector<Stem> stems;         // in the order of the text
    std::vector<int32_t> sorted;     // their numbers, rising
    std::vector<uint32_t> names;     // places in `stems`
    std::vector<uint32_t> figures;   // places in `stems` of the distinct stems of numbers
    std::string text;                // kept only where there are no stems
    uint64_t digest = 0;             // of the stems, or else of the text
    double mass = 0, norm = 0, unknown = 0;
    size_t words = 0, numbers = 0, common = 0;
    bool known = false, ends = false;
    double shape[12] = {};
};

enum Shape {
    WORDS, SENTENCES, ENDS, STARTS_LOWER, CAPITALISED, CAPITALS, DIGITS, MARKS, QUOTED, COLON, STOP_WORDS, UNKNOWN
};

// What a word tells besides its stem.
enum WordIs : uint8_t { STOP = 1, INITIAL = 2, ALL_CAPITALS = 4, NUMBER = 8, COMMON = 16 };

// What Python has found in a paragraph that is not plain.
struct Found {
    struct Word {
        std::string word, lower, stem;
        uint8_t is;
    };
    std::vector<Word> words;
    std::vector<std::string> terms, grams;
    std::string text;
    bool ends = false, starts_lower = false, quoted = false, colon = false;
    double sentences = 0, digits = 0, marks = 0, length = 0;
};

struct Vocabulary {
    Shorts<double> stems;          // their IDF
    Shorts<int32_t> known_words;   // 1 for a stop word, 2 for a common one, 3 for both
    double unseen = 0;
    size_t longest_known = 0;

    void know(std::string_view word, int32_t what) {
        int32_t& listed = known_words.place(word);
        listed = listed == NONE ? what : listed | what;
        longest_known = std::max(longest_known, word.size());
    }

    void build(std::string_view stem_list, const double* values, size_t count, double unseen_idf) {
        if (lines_of(stem_list) != count) throw std::invalid_argument("the stems do not match their weights");
        stems.reserve(count);
        each_line(stem_list, [&](std::string_view stem, int32_t line) { stems.put(stem, values[line]); });
        unseen = unseen_idf;
    }
};

// The stems of one article, numbered as they come.
class Numbering {
  public:
    Numbering() {
        numbers_.reserve(USUAL);
        stems_.reserve(USUAL);
    }

    template <class Key>
    int32_t number(const Key& key, const Vocabulary& vocabulary) {
        int32_t& place = numbers_.place(key);
        if (place == NONE) {
            place = static_cast<int32_t>(stems_.size());
            const double idf = vocabulary.stems.find(key);
            stems_.push_back({is_none(idf) ? vocabulary.unseen : idf, 0, 0, !is_none(idf)});
        }
        return place;
    }
    size_t size() const { return stems_.size(); }

    // Words of one paragraph, one after the other.
    void begin(Paragraph& p, size_t words) {
        ++turn_;
        counts_.clear();
        p.stems.reserve(words);
    }
    void count(int32_t id, Paragraph& p) {
        Met& met = stems_[static_cast<size_t>(id)];
        if (met.turn != turn_) {
            met.turn = turn_;
            met.place = static_cast<uint32_t>(p.stems.size());
            p.stems.push_back({id, met.idf, 0.0});
            counts_.push_back(0);
        }
        ++counts_[met.place];
    }

    void weigh(Paragraph& p, const std::vector<double>& logs) const {
        size_t unseen = 0;
        double squares = 0.0;
        p.sorted.resize(p.stems.size());
        for (size_t at = 0; at < p.stems.size(); ++at) {
            Stem& stem = p.stems[at];
            const uint32_t n = counts_[at];
            stem.weight = (1.0 + (n < logs.size() ? logs[n] : std::log(static_cast<double>(n)))) * stem.idf;
            p.mass += stem.idf;
            squares += stem.weight * stem.weight;
            unseen += !stems_[static_cast<size_t>(stem.id)].known;
            p.sorted[at] = stem.id;
        }
        std::sort(p.sorted.begin(), p.sorted.end());
        p.norm = std::sqrt(squares);
        p.unknown = static_cast<double>(unseen) / static_cast<double>(std::max<size_t>(1, p.stems.size()));
        p.digest = 0x243f6a8885a308d3u;
        for (int32_t id : p.sorted) p.digest = mixed(p.digest ^ static_cast<uint64_t>(id)) * BASE;
    }

    // The places of those of some stems that the paragraph holds, each once.
    void places(const std::vector<int32_t>& ids, std::vector<uint32_t>& places) {
        for (int32_t id : ids) {
            const Met& met = stems_[static_cast<size_t>(id)];
            if (met.turn != turn_ || counts_[met.place] == 0) continue;
            counts_[met.place] = 0;
            places.push_back(met.place);
        }
        for (uint32_t place : places) counts_[place] = 1;
    }

  private:
    static constexpr size_t USUAL = 250;  // stems of an article

    struct Met {
        double idf;
        uint32_t turn, place;  // the paragraph that had it last, and where among its stems
        bool known;
    };

    Shorts<int32_t> numbers_;
    std::vector<Met> stems_;
    std::vector<uint32_t> counts_;
    uint32_t turn_ = 0;
};

namespace detail {

// The stem of a word, as `noisefilter.text.stem` cuts it.
inline Packed stem_of(const Text& t, Span word) {
    size_t size = word.size();
    const auto lower = [&](size_t i) { return t.lower(word.start + i); };
    if (size >= 2 && lower(size - 1) == 's' && lower(size - 2) == '\'') size -= 2;
    if (size > 3 && lower(size - 1) == 's' && lower(size - 2) != 's') --size;
    return t.packed(word.start, size);
}

inline uint8_t word_is(const Text& t, Span word, const Vocabulary& vocabulary, std::string& scratch) {
    const uint8_t first = t.flags(word.start);
    uint8_t is = 0;
    if (first & UPPER) is |= INITIAL;
    if (first & DIGIT) is |= NUMBER;
    if (word.size() > 1 && (t.any(word) & (UPPER | LOWER)) == UPPER) is |= ALL_CAPITALS;
    int32_t listed;
    if (word.size() <= PACKED_MOST) {
        listed = vocabulary.known_words.find(t.packed(word.start, word.size()));
    } else {
        if (word.size() > vocabulary.longest_known) return is;
        scratch.clear();
        for (size_t i = word.start; i < word.end; ++i) encode(t.lower(i), scratch);
        listed = vocabulary.known_words.find(scratch);
    }
    if (listed != NONE) is |= (listed & 1 ? STOP : 0) | (listed & 2 ? COMMON : 0);
    return is;
}

}  // namespace detail

// What all of a paragraph's words come to, whoever cut them.
class Words {
  public:
    Words(Paragraph& p, Numbering& numbering, Desk& desk, size_t most)
        : p_(p), numbering_(numbering), raised_(desk.names), figures_(desk.figures) {
        raised_.clear();
        figures_.clear();
        numbering_.begin(p, most);
    }

    void add(int32_t id, uint8_t is) {
        if (!(is & STOP)) numbering_.count(id, p_);
        stop_ += (is & STOP) != 0;
        p_.common += (is & COMMON) != 0;
        capitals_ += (is & ALL_CAPITALS) != 0;
        capitalised_ += (is & INITIAL) != 0;
        if ((is & INITIAL) && p_.words > 0) raised_.push_back(id);  // the first word is a capital anyway
        if (is & NUMBER) figures_.push_back(id);
        ++p_.words;
    }

    void finish(const std::vector<double>& logs) {
        numbering_.weigh(p_, logs);
        numbering_.places(raised_, p_.names);
        numbering_.places(figures_, p_.figures);
        const double count = static_cast<double>(std::max<size_t>(1, p_.words));
        p_.shape[WORDS] = std::log1p(static_cast<double>(p_.words));
        p_.shape[CAPITALISED] = static_cast<double>(capitalised_) / count;
        p_.shape[CAPITALS] = static_cast<double>(capitals_) / count;
        p_.shape[STOP_WORDS] = static_cast<double>(stop_) / count;
        p_.shape[UNKNOWN] = p_.unknown;
    }

  private:
    Paragraph& p_;
    Numbering& numbering_;
    std::vector<int32_t> &raised_, &figures_;
    size_t stop_ = 0, capitalised_ = 0, capitals_ = 0;
};

// What the first stage makes of a paragraph.
inline void read_terms(const Text& t, const Lexicon& lexicon, Desk& desk, Paragraph& p) {
    lexicon.list_words(t, desk);
    lexicon.list_characters(t, desk);
    lexicon.look_up(desk);
    p.shares.resize(lexicon.families);
    p.known = lexicon.finish(desk, p.shares.data());
}

inline void read_terms(const Found& found, const Lexicon& lexicon, Desk& desk, Paragraph& p) {
    for (const std::string& term : found.terms) lexicon.count_word(term, desk);
    for (const std::string& gram : found.grams) lexicon.count_character(gram, desk);
    p.shares.resize(lexicon.families);
    p.known = lexicon.finish(desk, p.shares.data());
}

// The words of a paragraph, or a title; their stems are fetched.
inline void hear(const Text& t, const Vocabulary& vocabulary, Desk& desk) {
    desk.numbers.clear();
    desk.heard.clear();
    each_word(t, [&](Span word) {
        const uint8_t is = detail::word_is(t, word, vocabulary, desk.scratch);
        const bool counts = !(is & STOP) || (is & INITIAL);
        desk.heard.push_back({counts ? detail::stem_of(t, word) : Packed{}, is, counts});
        if (counts) vocabulary.stems.fetch(desk.heard.back().stem);
        if (is & NUMBER) desk.numbers.push_back(word);
    });
}

// What the words that were heard have that those of other paragraphs may have as well.
inline void read_stems(const Text& t, const Lexicon& lexicon, const Vocabulary& vocabulary, Numbering& numbering,
                       Desk& desk, Paragraph& p) {
    std::vector<Span>& numbers = desk.numbers;
    Words words(p, numbering, desk, desk.heard.size());
    for (const Desk::Heard& word : desk.heard)
        words.add(word.counts ? numbering.number(word.stem, vocabulary) : NONE, word.is);
    words.finish(lexicon.logs);
    const uint16_t* at = t.at.data();
    const auto before = [&](Span a, Span b) {
        return std::lexicographical_compare(at + a.start, at + a.end, at + b.start, at + b.end);
    };
    const auto same = [&](Span a, Span b) {
        return a.size() == b.size() && std::equal(at + a.start, at + a.end, at + b.start);
    };
    std::sort(numbers.begin(), numbers.end(), before);
    p.numbers = static_cast<size_t>(std::unique(numbers.begin(), numbers.end(), same) - numbers.begin());
    p.ends = ends_sentence(t);
    size_t sentences = 0, digits = 0, marks = 0;
    for (size_t i = 0; i < t.size; ++i) {
        const uint8_t flags = t.flags(i);
        digits += (flags & DIGIT) != 0;
        if (flags & (WORD | SPACE)) continue;
        const uint16_t c = t.at[i];
        sentences += c == '.' || c == '!' || c == '?';
        marks += c != '.' && c != ',' && c != '\'' && c != '"' && c != '-';
        if (c == '"') p.shape[QUOTED] = 1.0;
        if (c == ':' && i < 40) p.shape[COLON] = 1.0;
    }
    const double length = static_cast<double>(std::max<size_t>(1, t.size));
    p.shape[SENTENCES] = std::log1p(static_cast<double>(sentences));
    p.shape[ENDS] = p.ends;
    p.shape[STARTS_LOWER] = t.is(0, LOWER);
    p.shape[DIGITS] = static_cast<double>(digits) / length;
    p.shape[MARKS] = static_cast<double>(marks) / length;
    if (p.stems.empty()) {
        for (size_t i = 0; i < t.size; ++i) encode(t.at[i], p.text);
        p.digest = hashed(p.text);
    }
}

inline void read_stems(const Found& found, const Lexicon& lexicon, const Vocabulary& vocabulary, Numbering& numbering,
                       Desk& desk, Paragraph& p) {
    Words words(p, numbering, desk, found.words.size());
    std::vector<std::string_view> numbers;
    for (const Found::Word& word : found.words) {
        const int32_t listed = vocabulary.known_words.find(word.lower);
        const uint8_t common = listed != NONE && (listed & 2) ? COMMON : 0;
        words.add(numbering.number(std::string_view(word.stem), vocabulary), word.is | common);
        if (word.is & NUMBER) numbers.push_back(word.word);
    }
    words.finish(lexicon.logs);
    std::sort(numbers.begin(), numbers.end());
    p.numbers = static_cast<size_t>(std::unique(numbers.begin(), numbers.end()) - numbers.begin());
    p.ends = found.ends;
    const double length = std::max(1.0, found.length);
    p.shape[SENTENCES] = std::log1p(found.sentences);
    p.shape[ENDS] = found.ends;
    p.shape[STARTS_LOWER] = found.starts_lower;
    p.shape[DIGITS] = found.digits / length;
    p.shape[MARKS] = found.marks / length;
    p.shape[QUOTED] = found.quoted;
    p.shape[COLON] = found.colon;
    if (p.stems.empty()) {
        p.text = found.text;
        p.digest = hashed(p.text);
    }
}

}  // namespace noisefilter
