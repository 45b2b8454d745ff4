// Rows of numbers side by side: what is done to one number is done to that of LANES paragraphs at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tables.hpp"

namespace noisefilter {

constexpr size_t CLASSES = 3, BOILERPLATE = 0, CONTENT = 1, OFF_TOPIC = 2;
constexpr size_t LANES = 8;

// One number of LANES paragraphs.
struct Lanes {
    double at[LANES];
};

// A sum of LANES paragraphs for each class.
using Sums = Lanes[CLASSES];

// Places in a short list, or leaves that are left, of LANES paragraphs.
struct Shorts8 {
    int16_t at[LANES];
};

#ifdef NOISEFILTER_VECTORS  // left to itself, gcc unrolls such short loops before it can see vectors in them

typedef double Doubles __attribute__((vector_size(32)));  // in two halves where the processor has no more
typedef int64_t Longs __attribute__((vector_size(32)));
typedef double ByClass __attribute__((vector_size(32)));  // one number for each class, and one that is nothing
typedef int16_t ShortVector __attribute__((vector_size(LANES * sizeof(int16_t))));

// How many of some rising values each lane has passed; one that is met counts only if `MET`.
template <bool MET>
inline void count_passed(const double* value, const double* end, const Lanes& lanes, Shorts8& passed) {
    constexpr size_t FOURS = LANES / 4;
    Doubles given[FOURS];
    Longs count[FOURS] = {};
    std::memcpy(given, &lanes, sizeof given);
    for (; value != end; ++value)
        for (size_t n = 0; n < FOURS; ++n) count[n] -= MET ? given[n] >= *value : given[n] > *value;
    for (size_t n = 0; n < LANES; ++n) passed.at[n] = static_cast<int16_t>(count[n / 4][n % 4]);
}

// Keeps of `words` only the bits of `mask`, where more than `rank` values have been passed.
inline void keep_only(int16_t mask, int16_t rank, const Shorts8& passed, Shorts8& words) {
    ShortVector ranks, left;
    std::memcpy(&ranks, &passed, sizeof ranks);
    std::memcpy(&left, &words, sizeof left);
    left &= (ranks <= rank) | mask;
    std::memcpy(&words, &left, sizeof left);
}

// Adds a number for each class to those of one paragraph.
inline void add_to(ByClass& sum, const double* weights) {
    ByClass given;
    std::memcpy(&given, weights, sizeof given);
    sum += given;
}
// The same, where the numbers lie on lines, and the paragraph is `away` from where they begin.
inline void add_line(ByClass& sum, const double* base, const double* slope, double away) {
    ByClass from, rise;
    std::memcpy(&from, base, sizeof from);
    std::memcpy(&rise, slope, sizeof rise);
    sum += from + rise * away;
}

#else

struct ByClass {
    double at[4];
    double operator[](size_t c) const { return at[c]; }
};
inline void add_to(ByClass& sum, const double* weights) {
    for (size_t c = 0; c < 4; ++c) sum.at[c] += weights[c];
}
inline void add_line(ByClass& sum, const double* base, const double* slope, double away) {
    for (size_t c = 0; c < 4; ++c) sum.at[c] += base[c] + slope[c] * away;
}

template <bool MET>
inline void count_passed(const double* value, const double* end, const Lanes& lanes, Shorts8& passed) {
    passed = Shorts8{};
    for (; value != end; ++value)
        for (size_t n = 0; n < LANES; ++n)
            passed.at[n] = static_cast<int16_t>(passed.at[n] + (MET ? lanes.at[n] >= *value : lanes.at[n] > *value));
}

inline void keep_only(int16_t mask, int16_t rank, const Shorts8& passed, Shorts8& words) {
    for (size_t n = 0; n < LANES; ++n)
        if (passed.at[n] > rank) words.at[n] = static_cast<int16_t>(words.at[n] & mask);
}

#endif

}  // namespace noisefilter
