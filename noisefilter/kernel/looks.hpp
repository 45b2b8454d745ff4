// The two looks: curves and bins of numbers, and what the answers of one stage tell the next (`noisefilter.look`).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "bins.hpp"
#include "curves.hpp"
#include "lanes.hpp"

namespace noisefilter {

constexpr size_t ANSWERS = 17, PASTED = 6;

struct Look {
    Curves curves;
    Bins bins;
    double intercept[CLASSES] = {};

    // Probabilities of the classes.
    void at(const Lanes* numbers, Bins::Left& scratch, Sums& shares) const {
        for (size_t c = 0; c < CLASSES; ++c) std::fill_n(shares[c].at, LANES, intercept[c]);
        curves.add(numbers, shares);
        bins.add(numbers, scratch, shares);
        for (size_t n = 0; n < LANES; ++n) {
            const double most = std::max({shares[0].at[n], shares[1].at[n], shares[2].at[n]});
            double total = 0.0;
            for (size_t c = 0; c < CLASSES; ++c) total += shares[c].at[n] = std::exp(shares[c].at[n] - most);
            for (size_t c = 0; c < CLASSES; ++c) shares[c].at[n] /= total;
        }
    }
};

// Log-odds against content of the paragraphs of one article, and what they tell of those beside.
class Odds {
  public:
    explicit Odds(size_t count) : boilerplate_(count), off_topic_(count), noise_(count) {}

    void set(size_t i, const double* shares) {
        const auto log = [&](size_t c) { return std::log(std::min(std::max(shares[c], 1e-6), 1.0)); };
        const auto clipped = [](double odds) { return std::min(std::max(odds, -8.0), 8.0); };
        const double content = log(CONTENT);
        boilerplate_[i] = clipped(log(BOILERPLATE) - content);
        off_topic_[i] = clipped(log(OFF_TOPIC) - content);
        noise_[i] = log_of_sum(boilerplate_[i], off_topic_[i]);
    }

    void conclude() {
        std::vector<double> values = noise_;
        const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
        std::nth_element(values.begin(), middle, values.end());
        median_ = values.size() % 2 ? *middle : (*std::max_element(values.begin(), middle) + *middle) / 2.0;
        size_t noisy = 0;
        for (double odds : noise_) noisy += odds > 0;
        noisy_ = static_cast<double>(noisy) / static_cast<double>(noise_.size());
    }

    double trust(size_t i) const { return 1.0 / (1.0 + (std::exp(boilerplate_[i]) + std::exp(off_topic_[i]))); }

    void answers(size_t i, double* row) const {
        const auto noise = [&](int64_t step) { return beside(noise_, i, step); };
        const double values[ANSWERS] = {boilerplate_[i],
                                        off_topic_[i],
                                        noise_[i],
                                        noise(-1),
                                        noise(-2),
                                        noise(-3),
                                        noise(1),
                                        noise(2),
                                        noise(3),
                                        beside(boilerplate_, i, -1),
                                        beside(off_topic_, i, -1),
                                        beside(boilerplate_, i, 1),
                                        beside(off_topic_, i, 1),
                                        std::max({noise(-1), noise(-2), noise(1), noise(2)}),
                                        std::min(noise(-1), noise(1)),
                                        median_,
                                        noisy_};
        std::copy_n(values, ANSWERS, row);
    }

    // How much a paragraph looks like part of what was pasted beside it: see `noisefilter.relations.pasted`.
    void pasted(size_t i, double vouched_far, double cosine, bool is_long, double* row) const {
        const double unvouched = 1 - vouched_far, unlike = 1 - cosine;
        const auto share = [&](const std::vector<double>& odds, bool there, size_t at) {
            return there ? 1 / (1 + std::exp(-odds[at])) : 0.0;
        };
        const bool first = i == 0, last = i + 1 == noise_.size();
        const double before = share(off_topic_, !first, i - 1), after = share(off_topic_, !last, i + 1);
        row[0] = before * unvouched;
        row[1] = after * unvouched;
        row[2] = share(noise_, !first, i - 1) * unvouched;
        row[3] = share(noise_, !last, i + 1) * unvouched;
        row[4] = before * unlike;
        row[5] = std::max(before, after) * unvouched * is_long;
    }

  private:
    static double log_of_sum(double a, double b) {
        if (a == b) return a + std::log(2.0);
        return a > b ? a + std::log1p(std::exp(b - a)) : b + std::log1p(std::exp(a - b));
    }
    double beside(const std::vector<double>& values, size_t i, int64_t step) const {
        const int64_t at = static_cast<int64_t>(i) + step;
        return at < 0 || at >= static_cast<int64_t>(values.size()) ? -10.0 : values[static_cast<size_t>(at)];
    }
    std::vector<double> boilerplate_, off_topic_, noise_;
    double median_ = 0, noisy_ = 0;
};

}  // namespace noisefilter
