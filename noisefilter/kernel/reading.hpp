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

enum Shape { WORDS, SENTENCES, ENDS, STARTS_LOWER, CAPITALISED, CAPITALS, DIGITS, MARKS, QUOTED, COLON, STOP_WORDS, UNKNOWN };

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
    Shorts stems, known_words;     // known_words: 1 for a stop word, 2 for a common one, 3 for both
    std::vector<double> idf;
    double unseen = 0;
    size_t longest_known = 0;

    void know(std::string_view word, int32_t what) {
        int32_t& listed = known_words.place(word);
        listed = listed == NONE ? what : listed | what;
        longest_known = std::max(longest_known, word.size());
    }

    void build(std::string_view stem_list, const double* values, size_t count, double unseen_idf) {
        if (lines_of(stem_list) != count) throw std::invalid_argument("the stems do not match their weights");
        stems = Shorts(stem_list);
        idf.assign(values, values + count);
        unseen = unseen_idf;
    }
};

// The stems of one article, numbered as they come.
class Numbering {
  public:
    Numbering() { numbers_.reserve(USUAL); }

    template <class Key>
    int32_t number(const Key& key, const Vocabulary& vocabulary) {
        int32_t& place = numbers_.place(key);
        if (place == NONE) {
            place = static_cast<int32_t>(idf_.size());
            const int32_t column = vocabulary.stems.find(key);
            idf_.push_back(column == NONE ? vocabulary.unseen : vocabulary.idf[column]);
            known_.push_back(column != NONE);
            place_.push_back(0);
            stamp_.push_back(0);
        }
        return place;
    }
    size_t size() const { return idf_.size(); }

    // Words of one paragraph, one after the other.
    void begin() {
        ++turn_;
        counts_.clear();
    }
    void count(int32_t id, Paragraph& p) {
        if (stamp_[id] != turn_) {
            stamp_[id] = turn_;
            place_[id] = static_cast<uint32_t>(p.stems.size());
            p.stems.push_back({id, idf_[id], 0.0});
            counts_.push_back(0);
        }
        ++counts_[place_[id]];
    }
    bool holds(int32_t id) const { return stamp_[id] == turn_; }
    uint32_t place(int32_t id) const { return place_[id]; }

    void weigh(Paragraph& p, const std::vector<double>& logs) const {
        size_t unseen = 0;
        double squares = 0.0;
        for (size_t at = 0; at < p.stems.size(); ++at) {
            Stem& stem = p.stems[at];
            const uint32_t n = counts_[at];
            stem.weight = (1.0 + (n < logs.size() ? logs[n] : std::log(static_cast<double>(n)))) * stem.idf;
            p.mass += stem.idf;
            squares += stem.weight * stem.weight;
            unseen += !known_[stem.id];
            p.sorted.push_back(stem.id);
        }
        std::sort(p.sorted.begin(), p.sorted.end());
        p.norm = std::sqrt(squares);
        p.unknown = static_cast<double>(unseen) / static_cast<double>(std::max<size_t>(1, p.stems.size()));
        p.digest = 0x243f6a8885a308d3u;
        for (int32_t id : p.sorted) p.digest = mixed(p.digest ^ static_cast<uint64_t>(id)) * BASE;
    }

  private:
    static constexpr size_t USUAL = 250;  // stems of an article
    Shorts numbers_;
    std::vector<double> idf_;
    std::vector<uint8_t> known_;
    std::vector<uint32_t> place_, counts_;
    std::vector<uint64_t> stamp_;
    uint64_t turn_ = 0;
};

namespace detail {

// The stem of a word, as `noisefilter.text.stem` cuts it.
inline Packed stem_of(const Text& t, Span word) {
    size_t size = word.size();
    const auto lower = [&](size_t i) { return t.lower(word.start + i); };
    if (size >= 2 && lower(size - 1) == 's' && lower(size - 2) == '\'') size -= 2;
    if (size > 3 && lower(size - 1) == 's' && lower(size - 2) != 's') --size;
    Packed key;
    for (size_t i = 0; i < std::min<size_t>(size, 6); ++i) key.put(i, lower(i));
    return key;
}

inline uint8_t word_is(const Text& t, Span word, const Vocabulary& vocabulary, std::string& scratch) {
    const uint8_t first = t.flags(word.start);
    uint8_t is = 0;
    if (first & UPPER) is |= INITIAL;
    if (first & DIGIT) is |= NUMBER;
    bool upper = word.size() > 1, cased = false;
    for (size_t i = word.start; i < word.end && upper; ++i) {
        upper = !(t.flags(i) & LOWER);
        cased |= (t.flags(i) & UPPER) != 0;
    }
    if (upper && cased) is |= ALL_CAPITALS;
    int32_t listed;
    if (word.size() <= PACKED_MOST) {
        Packed key;
        for (size_t i = word.start; i < word.end; ++i) key.put(i - word.start, t.lower(i));
        listed = vocabulary.known_words.find(key);
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
    Words(Paragraph& p, Numbering& numbering) : p_(p), numbering_(numbering) { numbering_.begin(); }

    void add(int32_t id, uint8_t is) {
        if (!(is & STOP)) numbering_.count(id, p_);
        else ++stop_;
        if (is & COMMON) ++p_.common;
        if (is & ALL_CAPITALS) ++capitals_;
        if (is & INITIAL) {
            if (p_.words > 0) raised_.push_back(id);  // the first word is a capital anyway
            ++capitalised_;
        }
        if (is & NUMBER) figures_.push_back(id);
        ++p_.words;
    }

    void finish(const std::vector<double>& logs) {
        numbering_.weigh(p_, logs);
        distinct(raised_, p_.names);
        distinct(figures_, p_.figures);
        const double count = static_cast<double>(std::max<size_t>(1, p_.words));
        p_.shape[WORDS] = std::log1p(static_cast<double>(p_.words));
        p_.shape[CAPITALISED] = static_cast<double>(capitalised_) / count;
        p_.shape[CAPITALS] = static_cast<double>(capitals_) / count;
        p_.shape[STOP_WORDS] = static_cast<double>(stop_) / count;
        p_.shape[UNKNOWN] = p_.unknown;
    }

  private:
    void distinct(const std::vector<int32_t>& ids, std::vector<uint32_t>& places) const {
        std::vector<bool> seen(p_.stems.size());
        for (int32_t id : ids) {
            if (!numbering_.holds(id) || seen[numbering_.place(id)]) continue;
            seen[numbering_.place(id)] = true;
            places.push_back(numbering_.place(id));
        }
    }

    Paragraph& p_;
    Numbering& numbering_;
    std::vector<int32_t> raised_, figures_;
    size_t stop_ = 0, capitalised_ = 0, capitals_ = 0;
};

// What the first stage makes of a paragraph.
inline void read_terms(const Text& t, const Lexicon& lexicon, Desk& desk, Paragraph& p) {
    lexicon.read_words(t, desk);
    lexicon.read_characters(t, desk);
    p.shares.resize(lexicon.families);
    p.known = lexicon.finish(desk, p.shares.data());
}

inline void read_terms(const Found& found, const Lexicon& lexicon, Desk& desk, Paragraph& p) {
    for (const std::string& term : found.terms) lexicon.count_word(term, desk);
    for (const std::string& gram : found.grams) lexicon.count_character(gram, desk);
    p.shares.resize(lexicon.families);
    p.known = lexicon.finish(desk, p.shares.data());
}

// What a paragraph, or a title, holds that the others may hold as well.
inline void read_stems(const Text& t, const Lexicon& lexicon, const Vocabulary& vocabulary, Numbering& numbering,
                       Desk& desk, Paragraph& p) {
    Words words(p, numbering);
    std::vector<Span> numbers;
    desk.heard.clear();
    each_word(t, [&](Span word) {
        const uint8_t is = detail::word_is(t, word, vocabulary, desk.scratch);
        const bool counts = !(is & STOP) || (is & INITIAL);
        desk.heard.push_back({counts ? detail::stem_of(t, word) : Packed{}, is, counts});
        if (counts) vocabulary.stems.likely(desk.heard.back().stem);
        if (is & NUMBER) numbers.push_back(word);
    });
    for (const Desk::Heard& word : desk.heard)
        words.add(word.counts ? numbering.number(word.stem, vocabulary) : NONE, word.is);
    words.finish(lexicon.logs);
    const auto before = [&](Span a, Span b) {
        return std::lexicographical_compare(t.at + a.start, t.at + a.end, t.at + b.start, t.at + b.end);
    };
    const auto same = [&](Span a, Span b) {
        return a.size() == b.size() && std::equal(t.at + a.start, t.at + a.end, t.at + b.start);
    };
    std::sort(numbers.begin(), numbers.end(), before);
    p.numbers = static_cast<size_t>(std::unique(numbers.begin(), numbers.end(), same) - numbers.begin());
    p.ends = ends_sentence(t);
    size_t sentences = 0, digits = 0, marks = 0;
    for (size_t i = 0; i < t.size; ++i) {
        const uint16_t c = t.at[i];
        const uint8_t flags = t.flags(i);
        sentences += c == '.' || c == '!' || c == '?';
        digits += (flags & DIGIT) != 0;
        marks += !(flags & (WORD | SPACE)) && c != '.' && c != ',' && c != '\'' && c != '"' && c != '-';
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
                       Desk&, Paragraph& p) {
    Words words(p, numbering);
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
