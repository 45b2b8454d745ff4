// What one thread needs while it reads: counts of terms, lines of tokens, and the sums of their weights.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "tables.hpp"
#include "tokens.hpp"

namespace noisefilter {

// One term that a paragraph holds: where its weights are, and its share of the paragraph.
struct Held {
    const float* weights;
    double value;
};

// Adds up the weights of terms, STRIDE families side by side, in the order of the terms.
template <size_t STRIDE>
inline void add_up(const Held* held, size_t count, double* sums) {
#ifdef NOISEFILTER_VECTORS  // left to itself, gcc takes two terms at a time and family by family
    typedef float Singles __attribute__((vector_size(16)));
    typedef double Fours __attribute__((vector_size(32)));
    Fours kept[STRIDE / 4] = {};
    for (size_t n = 0; n < count; ++n)
        for (size_t k = 0; k < STRIDE / 4; ++k) {
            Singles weights;
            std::memcpy(&weights, held[n].weights + 4 * k, sizeof weights);
            kept[k] += held[n].value * __builtin_convertvector(weights, Fours);
        }
    std::memcpy(sums, kept, sizeof kept);
#else
    double kept[STRIDE] = {};
    for (size_t n = 0; n < count; ++n)
        for (size_t f = 0; f < STRIDE; ++f) kept[f] += held[n].value * static_cast<double>(held[n].weights[f]);
    std::copy_n(kept, STRIDE, sums);
#endif
}

NOISEFILTER_WIDER inline void add_up_20(const Held* held, size_t count, double* sums) {
    add_up<20>(held, count, sums);
}

inline void add_up_any(const Held* held, size_t count, size_t stride, double* sums) {
    std::fill_n(sums, stride, 0.0);
    for (size_t n = 0; n < count; ++n)
        for (size_t f = 0; f < stride; ++f) sums[f] += held[n].value * static_cast<double>(held[n].weights[f]);
}

// How often each column was met; the columns come out in their order, as in a sparse matrix of scikit-learn.
class Tally {
  public:
    explicit Tally(size_t columns)
        : met_(columns / 64 + 1), again_(columns / 64 + 1), over_(columns / 4096 + 1), more_(columns) {}

    // Tells whether the column is met for the first time; most are met once, and that takes but a bit.
    bool add(size_t column) {
        const uint64_t bit = uint64_t{1} << (column % 64);
        if (met_[column / 64] & bit) {
            again_[column / 64] |= bit;
            ++more_[column];
            return false;
        }
        met_[column / 64] |= bit;
        over_[column / 4096] |= uint64_t{1} << (column / 64 % 64);
        return true;
    }

    template <class Take>
    void empty_into(Take take) {
        for (size_t top = 0; top < over_.size(); ++top)
            for (; over_[top]; over_[top] &= over_[top] - 1) {
                const size_t middle = top * 64 + lowest(over_[top]);
                uint64_t met = met_[middle];
                const uint64_t again = again_[middle];
                met_[middle] = again_[middle] = 0;
                for (; met; met &= met - 1) {
                    const size_t at = lowest(met), column = middle * 64 + at;
                    size_t count = 1;
                    if (again >> at & 1) {
                        count += more_[column];
                        more_[column] = 0;
                    }
                    take(column, count);
                }
            }
    }

  private:
    std::vector<uint64_t> met_, again_, over_;
    std::vector<uint16_t> more_;  // a paragraph that is looked at has fewer terms
};

// A line of tokens with blanks between, whose hashes over any stretch follow from those of its prefixes.
class Line {
  public:
    void clear() {
        bytes_.clear();
        spans_.clear();
    }
    void start() {
        if (!bytes_.empty()) bytes_ += ' ';
        from_ = bytes_.size();
    }
    std::string& bytes() { return bytes_; }
    void end() { spans_.push_back({from_, bytes_.size()}); }
    void add(std::string_view token) {
        start();
        bytes_ += token;
        end();
    }
    void close() {
        prefixes_.resize(bytes_.size() + 1);
        prefixes_[0] = 0;
        for (size_t i = 0; i < bytes_.size(); ++i)
            prefixes_[i + 1] = prefixes_[i] * BASE + static_cast<unsigned char>(bytes_[i]) + 1;
    }
    size_t count() const { return spans_.size(); }
    Span over(size_t first, size_t last) const { return {spans_[first].start, spans_[last].end}; }
    std::string_view text(Span span) const { return std::string_view(bytes_).substr(span.start, span.size()); }
    uint64_t hash(Span span, const std::vector<uint64_t>& powers) const {
        return prefixes_[span.end] - prefixes_[span.start] * powers[span.size()];
    }

  private:
    std::string bytes_;
    std::vector<Span> spans_;
    std::vector<uint64_t> prefixes_;
    size_t from_ = 0;
};

// What one thread needs while it reads.
struct Desk {
    explicit Desk(size_t columns) : tally(columns) {}
    Tally tally;
    Line sequence, shapes;
    std::string scratch;
    struct Wanted {
        uint64_t hash;
        std::string_view front, rest;
    };
    std::vector<Wanted> wanted;
    struct Gram {
        Packed key;
        size_t size, likely;
    };
    std::vector<Gram> grams;
    struct Heard {
        Packed stem;
        uint8_t is;
        bool counts;
    };
    std::vector<Heard> heard;
    std::vector<Span> raised;  // words in capitals
    std::vector<Held> held;
    std::vector<double> sums;
};

}  // namespace noisefilter
