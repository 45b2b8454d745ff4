// Curves: each number's hats, weighed and added up, are one piecewise linear function for each class
// (`noisefilter.curves`).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "lanes.hpp"

namespace noisefilter {

class Curves {
  public:
    static constexpr size_t MOST_KNOTS = 256;

    void build(const double* knots, const int64_t* counts, size_t numbers, const double* coef, size_t columns,
               size_t total) {
        size_t at = 0;
        for (size_t number = 0; number < numbers; ++number) {
            if (counts[number] < 1 || static_cast<size_t>(counts[number]) > total - at)
                throw std::invalid_argument("knot_counts do not match the knots");
            if (static_cast<size_t>(counts[number]) > MOST_KNOTS)
                throw std::length_error("a curve has more knots than the kernel takes");
            at += static_cast<size_t>(counts[number]);
        }
        if (at != total) throw std::invalid_argument("knot_counts do not match the knots");
        at = 0;
        for (size_t number = 0; number < numbers; ++number) {
            const size_t count = static_cast<size_t>(counts[number]);
            numbers_.push_back({knots[at], knots[at + count - 1], pieces_.size(), inner_.size(), 0});
            for (size_t j = 0; j + 1 < count || j == 0; ++j) {
                Piece piece{};
                piece.base[CLASSES] = knots[at + j];
                if (j > 0) inner_.push_back(knots[at + j]);
                const double width = count > 1 ? knots[at + j + 1] - knots[at + j] : 1.0;
                if (!(width > 0)) throw std::invalid_argument("the knots do not rise");
                for (size_t c = 0; c < CLASSES; ++c) {
                    piece.base[c] = coef[c * columns + at + j];
                    piece.slope[c] = count > 1 ? (coef[c * columns + at + j + 1] - piece.base[c]) / width : 0.0;
                }
                pieces_.push_back(piece);
            }
            numbers_.back().inner_end = inner_.size();
            at += count;
        }
    }

    void add(const Lanes* numbers, Sums& sums) const { add_up(*this, numbers, sums); }

  private:
    struct Piece {
        double base[CLASSES + 1], slope[CLASSES + 1];  // the last of `base` is the knot, where the piece begins
    };
    struct Number {
        double low, high;
        size_t first, inner, inner_end;  // where its pieces and the knots between the outer ones start
    };

    NOISEFILTER_WIDER static void add_up(const Curves& curves, const Lanes* numbers, Sums& sums) {
        ByClass added[LANES];
        for (size_t n = 0; n < LANES; ++n) added[n] = ByClass{sums[0].at[n], sums[1].at[n], sums[2].at[n], 0.0};
        for (const Number& number : curves.numbers_) {
            const Lanes& given = *numbers++;
            Lanes x;
            Shorts8 passed;
            for (size_t n = 0; n < LANES; ++n) x.at[n] = std::min(std::max(given.at[n], number.low), number.high);
            count_passed<true>(curves.inner_.data() + number.inner, curves.inner_.data() + number.inner_end, x, passed);
            for (size_t n = 0; n < LANES; ++n) {
                const Piece& piece = curves.pieces_[number.first + static_cast<size_t>(passed.at[n])];
                add_line(added[n], piece.base, piece.slope, x.at[n] - piece.base[CLASSES]);
            }
        }
        for (size_t c = 0; c < CLASSES; ++c)
            for (size_t n = 0; n < LANES; ++n) sums[c].at[n] = added[n][c];
    }

    std::vector<Number> numbers_;
    std::vector<double> inner_;  // the knots between the outer ones
    std::vector<Piece> pieces_;
};

}  // namespace noisefilter
