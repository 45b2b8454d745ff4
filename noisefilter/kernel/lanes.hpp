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

typedef double Doubles __attribute__((vector_size(16)));  // what every x86-64 has
typedef int64_t Longs __attribute__((vector_size(16)));
typedef int16_t ShortVector __attribute__((vector_size(LANES * sizeof(int16_t))));

// How many of some rising values each lane has passed; one that is met counts only if `MET`.
template <bool MET>
inline void count_passed(const double* value, const double* end, const Lanes& lanes, Shorts8& passed) {
    constexpr size_t PAIRS = LANES / 2;
    Doubles given[PAIRS];
    Longs count[PAIRS] = {};
    std::memcpy(given, &lanes, sizeof given);
    for (; value != end; ++value)
        for (size_t n = 0; n < PAIRS; ++n) count[n] -= MET ? given[n] >= *value : given[n] > *value;
    for (size_t n = 0; n < LANES; ++n) passed.at[n] = static_cast<int16_t>(count[n / 2][n % 2]);
}

// Keeps of `words` only the bits of `mask`, where more than `rank` values have been passed.
inline void keep_only(int16_t mask, int16_t rank, const Shorts8& passed, Shorts8& words) {
    ShortVector ranks, left;
    std::memcpy(&ranks, &passed, sizeof ranks);
    std::memcpy(&left, &words, sizeof left);
    left &= (ranks <= rank) | mask;
    std::memcpy(&words, &left, sizeof left);
}

#else

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
