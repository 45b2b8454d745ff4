// What the terms weigh: a row for each. The weights stay in half precision, as the bundle has them: a row of the
// shipped model then is one line of the cache, and most of the time goes into fetching rows.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "tables.hpp"

#ifdef NOISEFILTER_BY_PROCESSOR
#include <immintrin.h>
#endif

namespace noisefilter {

// The terms that a paragraph holds: their rows, and how much of the paragraph each is.
struct Held {
    std::vector<const unsigned char*> rows;
    std::vector<double> values;
    size_t size() const { return rows.size(); }
};

class Rows {
  public:
    // `halves` are the bytes of (families, columns) in IEEE half precision, wherever in memory they begin; `idf_of` tells
    // a column's IDF.
    template <class Idf>
    void build(const unsigned char* halves, size_t families, size_t columns, Idf idf_of) {
        families_ = families;
        stride_ = (WEIGHTS + width() * sizeof(uint16_t) + LINE - 1) / LINE * LINE;
        bytes_.resize(columns * stride_);
        constexpr size_t BLOCK = 64;  // terms at a time: both sides stay in the cache
        uint32_t most = 0;
        for (size_t begin = 0; begin < columns; begin += BLOCK) {
            const size_t count = std::min(columns - begin, BLOCK);
            unsigned char* rows = &bytes_[begin * stride_];
            std::memset(rows, 0, count * stride_);
            for (size_t n = 0; n < count; ++n) {
                const float idf = idf_of(begin + n);
                std::memcpy(rows + n * stride_, &idf, sizeof idf);
            }
            for (size_t family = 0; family < families; ++family) {
                const unsigned char* from = halves + (family * columns + begin) * sizeof(uint16_t);
                unsigned char* to = rows + WEIGHTS + family * sizeof(uint16_t);
                for (size_t n = 0; n < count; ++n, from += sizeof(uint16_t), to += stride_) {
                    uint16_t half;
                    std::memcpy(&half, from, sizeof half);
                    std::memcpy(to, &half, sizeof half);
                    most = std::max<uint32_t>(most, half & 0x7fffu);
                }
            }
        }
        if (most >= 0x7c00) throw std::invalid_argument("lexical_coef is not finite");
    }

    // A term that is telling shows that a paragraph can be known.
    void set_telling(size_t column, bool telling) { bytes_[column * stride_ + TELLING] = telling; }

    void fetch(size_t column) const { NOISEFILTER_PREFETCH(bytes_.data() + column * stride_); }
    const unsigned char* at(size_t column) const { return &bytes_[column * stride_]; }
    static double idf(const unsigned char* row) {
        float idf;
        std::memcpy(&idf, row, sizeof idf);
        return static_cast<double>(idf);
    }
    static bool telling(const unsigned char* row) { return row[TELLING] != 0; }

    // Adds up the weights of terms for each family, in the order of the terms.
    void add_up(const Held& held, std::vector<double>& sums) const {
        sums.assign(width(), 0.0);
#ifdef NOISEFILTER_BY_PROCESSOR
        static const bool knows_halves = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c");
        if (width() == 3 * EIGHT && knows_halves) return add_up_24(held, sums.data());
#endif
        for (size_t n = 0; n < held.size(); ++n)
            for (size_t f = 0; f < width(); f += EIGHT)
                add_eight(held.values[n], held.rows[n] + WEIGHTS + f * sizeof(uint16_t), &sums[f]);
    }

  private:
    static constexpr size_t TELLING = sizeof(float), WEIGHTS = 8, EIGHT = 8, LINE = 64;

    size_t width() const { return (families_ + EIGHT - 1) / EIGHT * EIGHT; }

    // Half precision to double is exact; without a jump, so that compilers find the vectors.
    static void add_eight(double value, const unsigned char* weights, double* sums) {
        uint16_t halves[EIGHT];
        float singles[EIGHT];
        std::memcpy(halves, weights, sizeof halves);
        for (size_t n = 0; n < EIGHT; ++n) {
            const uint32_t sign = static_cast<uint32_t>(halves[n] & 0x8000u) << 16, rest = halves[n] & 0x7fffu;
            const float subnormal = static_cast<float>(static_cast<int32_t>(rest)) * 0x1p-24f;
            uint32_t bits;
            std::memcpy(&bits, &subnormal, sizeof bits);
            bits = sign | (rest < 0x400 ? bits : (rest << 13) + (112u << 23));
            std::memcpy(&singles[n], &bits, sizeof bits);
        }
        for (size_t n = 0; n < EIGHT; ++n) sums[n] += value * static_cast<double>(singles[n]);
    }

#ifdef NOISEFILTER_BY_PROCESSOR
    __attribute__((target("avx2,f16c"))) static void add_up_24(const Held& held, double* sums) {
        __m256d kept[6] = {};
        for (size_t n = 0; n < held.size(); ++n) {
            const __m256d value = _mm256_set1_pd(held.values[n]);
            for (size_t k = 0; k < 3; ++k) {
                const unsigned char* halves = held.rows[n] + WEIGHTS + k * EIGHT * sizeof(uint16_t);
                const __m256 weights = _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(halves)));
                const __m256d low = _mm256_cvtps_pd(_mm256_castps256_ps128(weights));
                const __m256d high = _mm256_cvtps_pd(_mm256_extractf128_ps(weights, 1));
                kept[2 * k] = _mm256_add_pd(kept[2 * k], _mm256_mul_pd(value, low));
                kept[2 * k + 1] = _mm256_add_pd(kept[2 * k + 1], _mm256_mul_pd(value, high));
            }
        }
        for (size_t k = 0; k < 6; ++k) _mm256_storeu_pd(sums + 4 * k, kept[k]);
    }
#endif

    size_t families_ = 0, stride_ = 0;
    LargeVector<unsigned char> bytes_;
};

}  // namespace noisefilter
