// Tokens of one normalised paragraph: what `noisefilter.text` finds by regular expressions, found by hand.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "tables.hpp"

namespace noisefilter {

// What Python says of a character; filled in from there, so that both speak of the same Unicode.
enum Flag : uint8_t {
    WORD = 1,      // \w, the underscore aside
    DECIMAL = 2,   // \d
    UPPER = 4,     // str.isupper
    LOWER = 8,     // str.islower
    DIGIT = 16,    // str.isdigit
    SPACE = 32,    // str.isspace
    NAMED = 64,    // of the letters that a site's name is made of: a-z, A-Z, 0-9 and the hyphen
    JOINED = 128,  // \w, the underscore too; never asked, but told by `Text`
};

constexpr uint32_t CHARACTERS = 0x2c00;  // the native path ends here; Python cuts what lies beyond

struct Character {
    uint8_t flags = 0;
    uint8_t known = 0;     // whether it is plain: 0 nobody has asked yet, 1 yes, 2 no
    uint8_t length = 0;    // of what normalisation makes of it
    uint16_t lower = 0;
    uint16_t becomes[3] = {0, 0, 0};
};

struct Span {
    size_t start, end;
    size_t size() const { return end - start; }
};

// What is known of each character of a normalised paragraph, all of them plain; scratch that is used again.
struct Text {
    std::vector<uint16_t> at, lowered;
    std::vector<uint8_t> flagged;
    size_t size = 0;

    void take(const std::vector<uint16_t>& characters, const Character* table) {
        size = characters.size();
        for (std::vector<uint16_t>* one : {&at, &lowered}) one->assign(size + BEHIND, 0);
        flagged.assign(size + BEHIND, 0);
        for (size_t i = 0; i < size; ++i) {
            const uint16_t c = characters[i];
            const Character& entry = table[c];
            at[i] = c;
            lowered[i] = entry.lower;
            flagged[i] = static_cast<uint8_t>(entry.flags | ((entry.flags & WORD) || c == '_' ? JOINED : 0));
        }
    }

    uint8_t flags(size_t i) const { return flagged[i]; }
    bool is(size_t i, uint8_t any) const { return i < size && (flags(i) & any) != 0; }
    bool is_char(size_t i, uint16_t c) const { return i < size && at[i] == c; }
    bool word(size_t i) const { return is(i, JOINED); }
    bool space(size_t i) const { return is(i, SPACE); }
    bool decimal(size_t i) const { return is(i, DECIMAL); }
    bool boundary(size_t i) const { return (i > 0 && word(i - 1)) != word(i); }
    uint16_t lower(size_t i) const { return lowered[i]; }
    bool reads(size_t i, const char* ascii) const {  // in any case
        for (; *ascii; ++ascii, ++i)
            if (i >= size || lower(i) != static_cast<uint16_t>(*ascii)) return false;
        return true;
    }
    size_t run_of_digits(size_t i, size_t most) const {
        size_t n = 0;
        while (n < most && decimal(i + n)) ++n;
        return n;
    }
    // All flags that any character of a span has, but for the last.
    uint8_t any(Span span) const {
        uint64_t found = 0;
        for (size_t i = span.start; i < span.end; i += sizeof found) {
            uint64_t eight;
            std::memcpy(&eight, &flagged[i], sizeof eight);
            const size_t left = span.end - i;
            if (left < sizeof found) eight &= (uint64_t{1} << (8 * left)) - 1;  // the first bytes
            found |= eight;
        }
        found |= found >> 32;
        found |= found >> 16;
        return static_cast<uint8_t>(found | found >> 8);
    }
    // The first characters of a span in lower case, at most as many as can be packed.
    Packed packed(size_t start, size_t most) const {
        Packed key;
        std::memcpy(&key.low, &lowered[start], sizeof key.low);
        std::memcpy(&key.high, &lowered[start + 4], sizeof key.high);
        key.low += 0x0001000100010001u;  // as `put` does; no character is so high that it would carry
        key.high += 0x00010001u;
        if (most < PACKED_MOST) key.cut(most);
        return key;
    }

  private:
    static constexpr size_t BEHIND = 8;  // characters that may be read behind the last, all 0
};

enum class Kind { url, mail, handle, hashtag, clock, date, number, word, mark };

struct Token {
    Kind kind;
    size_t end;
};

namespace detail {

inline size_t to_space(const Text& t, size_t i) {
    while (i < t.size && !t.space(i)) ++i;
    return i;
}

inline bool domain(const Text& t, size_t i) {
    static const char* const ENDS[] = {"com",  "org", "net",  "co.uk", "gov", "edu",
                                       "info", "tv",  "news", "io",    "ly",  "me"};
    for (int labels = 0; labels < 4; ++labels) {
        size_t n = 0;
        while (n <= 63 && t.is(i + n, NAMED)) ++n;
        if (n == 0 || n > 63 || !t.is_char(i + n, '.')) return false;
        i += n + 1;
        for (const char* end : ENDS)
            if (t.reads(i, end) && t.boundary(i + std::string_view(end).size())) return true;
    }
    return false;
}

inline size_t url(const Text& t, size_t i, bool has_domain) {
    const uint16_t first = t.lower(i);
    if (first == 'h' && t.reads(i, "http")) {
        size_t after = i + 4;
        if (after < t.size && t.lower(after) == 's') ++after;
        if (t.reads(after, "://") && after + 3 < t.size && !t.space(after + 3)) return to_space(t, after + 3);
    }
    if (first == 'w' && t.reads(i, "www.") && i + 4 < t.size && !t.space(i + 4)) return to_space(t, i + 4);
    return has_domain && t.is(i, NAMED) && t.boundary(i) && domain(t, i) ? to_space(t, i) : 0;
}

inline bool local(const Text& t, size_t i) {
    return t.word(i) || t.is_char(i, '.') || t.is_char(i, '+') || t.is_char(i, '-');
}

inline size_t mail(const Text& t, size_t i) {
    size_t n = 0;
    while (n <= 64 && local(t, i + n)) ++n;
    if (n == 0 || n > 64 || !t.is_char(i + n, '@')) return 0;
    i += n + 1;
    n = 0;
    while (n <= 63 && (t.word(i + n) || t.is_char(i + n, '-'))) ++n;
    if (n == 0 || n > 63 || !t.is_char(i + n, '.') || !t.word(i + n + 1)) return 0;
    i += n + 2;
    n = 0;
    while (n < 63 && (t.word(i + n) || t.is_char(i + n, '.') || t.is_char(i + n, '-'))) ++n;
    return i + n;
}

inline size_t clock(const Text& t, size_t i) {
    if (i > 0 && t.word(i - 1)) return 0;
    const size_t hours = t.run_of_digits(i, 3);
    const auto minutes = [&](size_t at) {
        return (t.is_char(at, ':') || t.is_char(at, '.')) && t.decimal(at + 1) && t.decimal(at + 2);
    };
    if (hours < 1 || hours > 2 || !minutes(i + hours)) return 0;
    const size_t end = i + hours + 3;
    if (minutes(end) && t.boundary(end + 3)) return end + 3;
    return t.boundary(end) ? end : 0;
}

inline size_t date(const Text& t, size_t i) {
    if (i > 0 && t.word(i - 1)) return 0;
    const auto parted = [&](size_t at) { return t.is_char(at, '/') || t.is_char(at, '.') || t.is_char(at, '-'); };
    const size_t first = t.run_of_digits(i, 5);
    if (first < 1 || first > 4 || !parted(i + first)) return 0;
    i += first + 1;
    const size_t second = t.run_of_digits(i, 3);
    if (second < 1 || second > 2 || !parted(i + second)) return 0;
    i += second + 1;
    const size_t third = t.run_of_digits(i, 5);
    return third >= 1 && third <= 4 && !t.word(i + third) ? i + third : 0;
}

inline size_t number(const Text& t, size_t i) {
    size_t first = i;
    const uint16_t c = t.at[i];
    if (c == '$' || c == 0xa3 || c == 0x20ac || c == 0x20b9) ++first;
    if (!t.decimal(first)) return 0;
    size_t last = first;
    for (size_t at = first; t.decimal(at) || t.is_char(at, ',') || t.is_char(at, '.'); ++at)
        if (t.decimal(at)) last = at;
    if (last > first) return last + 1;
    return first == i ? i + 1 : 0;
}

}  // namespace detail

// What a paragraph must hold somewhere before the longer kinds of token are looked for.
struct Hints {
    bool at = false, domain = false;
    explicit Hints(const Text& t) {
        for (size_t i = 0; i < t.size; ++i) {
            at |= t.at[i] == '@';
            domain |= t.at[i] == '.' && i > 0 && (t.flags(i - 1) & t.flags(i + 1) & NAMED);
        }
    }
};

// The token that starts at `i`, which holds no space.
inline Token token_at(const Text& t, size_t i, const Hints& has) {
    using namespace detail;
    const uint8_t flags = t.flags(i);
    const uint16_t c = t.at[i];
    if (size_t end = url(t, i, has.domain)) return {Kind::url, end};
    if (has.at)
        if (size_t end = mail(t, i)) return {Kind::mail, end};
    if ((c == '@' || c == '#') && !(i > 0 && t.word(i - 1)) && t.word(i + 1)) {
        size_t end = i + 1;
        while (t.word(end)) ++end;
        return {c == '@' ? Kind::handle : Kind::hashtag, end};
    }
    if (flags & DECIMAL) {
        if (size_t end = clock(t, i)) return {Kind::clock, end};
        if (size_t end = date(t, i)) return {Kind::date, end};
    }
    if (size_t end = number(t, i)) return {Kind::number, end};
    if ((flags & WORD) && !(flags & DECIMAL)) {
        size_t end = i + 1;
        for (size_t at = i + 1; t.word(at) || t.is_char(at, '\''); ++at)
            if (at < t.size && t.at[at] != '\'') end = at + 1;
        return {Kind::word, end};
    }
    return {Kind::mark, i + 1};
}

// The class of a word by its case, as `noisefilter.text.shape` tells it.
inline std::string_view shape_of(const Text& t, Span s) {
    const uint8_t any = t.any(s);
    if ((any & (UPPER | LOWER)) == LOWER) return "xx";
    if ((any & (UPPER | LOWER)) == UPPER) return s.size() > 1 ? "XX" : "X";
    return t.flags(s.start) & UPPER ? "Xx" : "xX";
}

// The cue before a colon at the start: its span, empty if there is none.
inline Span cue_of(const Text& t) {
    const auto of_cue = [&](size_t i) {
        return t.word(i) || t.is_char(i, '\'') || t.is_char(i, '&') || t.is_char(i, '.');
    };
    const auto mark = [&](size_t i) {
        return t.is_char(i, ':') || t.is_char(i, '|') || t.is_char(i, '>') || t.is_char(i, 0xbb) ||
               t.is_char(i, 0x2192);
    };
    size_t most = 0;
    while (most < 3 && most < t.size && !t.word(most)) ++most;
    for (size_t start = most + 1; start-- > 0;) {
        size_t i = start;
        for (int words = 0; words < 4; ++words) {
            const size_t from = i;
            while (of_cue(i)) ++i;
            if (i == from) break;
            if (mark(i) || (t.space(i) && mark(i + 1))) return {start, i};
            if (!t.space(i)) break;
            ++i;
        }
    }
    return {0, 0};
}

// Calls `take(span)` for each word of `noisefilter.text.word_list`.
template <class Take>
void each_word(const Text& t, Take take) {
    for (size_t i = 0; i < t.size;) {
        if (!(t.flags(i) & WORD)) {
            ++i;
            continue;
        }
        const size_t start = i;
        for (;;) {
            while (t.is(i, WORD)) ++i;
            if (!(t.is_char(i, '\'') && t.is(i + 1, WORD))) break;
            ++i;
        }
        take(Span{start, i});
    }
}

inline bool ends_sentence(const Text& t) {
    size_t i = t.size;
    while (i > 0 && (t.at[i - 1] == '"' || t.at[i - 1] == '\'' || t.at[i - 1] == ')' || t.at[i - 1] == ']')) --i;
    return i > 0 && (t.at[i - 1] == '.' || t.at[i - 1] == '!' || t.at[i - 1] == '?' || t.at[i - 1] == 0x2026);
}

}  // namespace noisefilter
