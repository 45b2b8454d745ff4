// The two looks: curves and bins of numbers, and what the answers of one stage tell the next (`noisefilter.look`).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace noisefilter {

constexpr size_t CLASSES = 3, BOILERPLATE = 0, CONTENT = 1, OFF_TOPIC = 2;
constexpr size_t ANSWERS = 17, PASTED = 6;
constexpr double GRADES = 1e9;  // numbers and borders are compared to nine decimals

// Curves: each number's hats, weighed and added up, are one piecewise linear function for each class.
class Curves {
  public:
    static constexpr size_t MOST_KNOTS = 256;

    void build(const double* knots, const int64_t* counts, size_t numbers, const double* coef, size_t columns,
               size_t total) {
        size_t at = 0;
        for (size_t number = 0; number < numbers; ++number) {
            if (counts[number] < 1 || static_cast<size_t>(counts[number]) > total - at)
                throw std::invalid_argument("knot_counts do not match the knots");
            most_ = std::max(most_, static_cast<size_t>(counts[number]));
            at += static_cast<size_t>(counts[number]);
        }
        if (at != total) throw std::invalid_argument("knot_counts do not match the knots");
        if (most_ > MOST_KNOTS) throw std::length_error("a curve has more knots than the kernel takes");
        inner_.assign(numbers * inner(), HUGE_VAL);
        at = 0;
        for (size_t number = 0; number < numbers; ++number) {
            const size_t count = static_cast<size_t>(counts[number]);
            numbers_.push_back({knots[at], knots[at + count - 1], pieces_.size()});
            for (size_t j = 0; j + 1 < count || j == 0; ++j) {
                Piece piece{};
                piece.knot = knots[at + j];
                if (j > 0) inner_[number * inner() + j - 1] = piece.knot;
                const double width = count > 1 ? knots[at + j + 1] - piece.knot : 1.0;
                if (!(width > 0)) throw std::invalid_argument("the knots do not rise");
                for (size_t c = 0; c < CLASSES; ++c) {
                    piece.base[c] = coef[c * columns + at + j];
                    piece.slope[c] = count > 1 ? (coef[c * columns + at + j + 1] - piece.base[c]) / width : 0.0;
                }
                pieces_.push_back(piece);
            }
            at += count;
        }
    }

    void add(const double* numbers, double* odds) const {
        double sums[CLASSES] = {odds[0], odds[1], odds[2]};
        const double* knot = inner_.data();
        const size_t inner_knots = inner();
        for (const Number& number : numbers_) {
            const double x = std::min(std::max(*numbers++, number.low), number.high);
            size_t passed = 0;
            for (size_t j = 0; j < inner_knots; ++j) passed += x >= knot[j];
            knot += inner_knots;
            const Piece& piece = pieces_[number.first + passed];
            for (size_t c = 0; c < CLASSES; ++c) sums[c] += piece.base[c] + piece.slope[c] * (x - piece.knot);
        }
        std::copy_n(sums, CLASSES, odds);
    }

  private:
    struct Piece {
        double knot, base[CLASSES], slope[CLASSES], unused;
    };
    struct Number {
        double low, high;
        size_t first;  // of its pieces
    };
    size_t inner() const { return most_ > 2 ? most_ - 2 : 0; }

    std::vector<Number> numbers_;
    std::vector<double> inner_;  // the knots between the outer ones, as many for each number
    std::vector<Piece> pieces_;
    size_t most_ = 0;
};

// Bins, found number by number and not tree by tree (Lucchese et al., *QuickScorer*, SIGIR 2015): a border that is
// passed rules out the leaves on its left, and the first leaf that is left is the row's.
class Bins {
  public:
    static constexpr size_t MOST_LEAVES = 64;

    void build(const int32_t* feature, const double* border, const int32_t* left, const int32_t* right, size_t nodes,
               const int32_t* roots, size_t trees, const double* coef, size_t columns, size_t hats, size_t numbers) {
        std::vector<size_t> bin(nodes);
        size_t bins = 0;
        for (size_t node = 0; node < nodes; ++node) {
            bin[node] = bins;
            bins += feature[node] < 0;
        }
        if (hats + bins != columns) throw std::invalid_argument("the bins do not match their weights");
        std::vector<std::vector<Border>> of_number(numbers);
        const auto walk = [&](auto&& self, size_t node, size_t tree, size_t depth) -> uint64_t {  // the leaves below
            if (depth > MOST_LEAVES) throw std::length_error("a tree is deeper than the kernel takes");
            if (feature[node] < 0) {
                const size_t leaf = leaves_.size() - first_leaf_.back();
                if (leaf >= MOST_LEAVES) throw std::length_error("a tree has more leaves than the kernel takes");
                Leaf weights{};
                for (size_t c = 0; c < CLASSES; ++c) weights.weight[c] = coef[c * columns + hats + bin[node]];
                leaves_.push_back(weights);
                return uint64_t{1} << leaf;
            }
            const auto child = [&](int32_t at) {
                if (at < 0 || static_cast<size_t>(at) >= nodes || static_cast<size_t>(at) <= node)
                    throw std::invalid_argument("the bins are not trees");
                return static_cast<size_t>(at);
            };
            if (static_cast<size_t>(feature[node]) >= numbers) throw std::invalid_argument("the bins are not trees");
            const uint64_t before = self(self, child(left[node]), tree, depth + 1);
            const uint64_t after = self(self, child(right[node]), tree, depth + 1);
            of_number[static_cast<size_t>(feature[node])].push_back(
                {std::rint(border[node] * GRADES), ~before, static_cast<uint32_t>(tree)});
            return before | after;
        };
        for (size_t tree = 0; tree < trees; ++tree) {
            if (roots[tree] < 0 || static_cast<size_t>(roots[tree]) >= nodes)
                throw std::invalid_argument("the bins are not trees");
            first_leaf_.push_back(leaves_.size());
            walk(walk, static_cast<size_t>(roots[tree]), tree, 0);
        }
        first_.assign(1, 0);
        for (auto& borders : of_number) {
            std::stable_sort(borders.begin(), borders.end(),
                             [](const Border& a, const Border& b) { return a.value < b.value; });
            borders_.insert(borders_.end(), borders.begin(), borders.end());
            first_.push_back(borders_.size());
        }
    }

    void add(const double* numbers, std::vector<uint64_t>& left, double* odds) const {
        left.assign(first_leaf_.size(), ~uint64_t{0});
        uint64_t* masks = left.data();
        const Border* border = borders_.data();
        for (size_t number = 0; number + 1 < first_.size(); ++number) {
            const double value = std::rint(numbers[number] * GRADES);
            const Border* end = borders_.data() + first_[number + 1];
            for (; border != end && border->value < value; ++border) masks[border->tree] &= border->mask;
            border = end;
        }
        double sums[CLASSES] = {0.0, 0.0, 0.0};
        for (size_t tree = 0; tree < left.size(); ++tree) {
            const Leaf& leaf = leaves_[first_leaf_[tree] + lowest(left[tree])];
            for (size_t c = 0; c < CLASSES; ++c) sums[c] += leaf.weight[c];
        }
        for (size_t c = 0; c < CLASSES; ++c) odds[c] += sums[c];
    }

  private:
    struct Border {
        double value;
        uint64_t mask;
        uint32_t tree;
    };
    struct Leaf {
        double weight[CLASSES], unused;
    };
    static size_t lowest(uint64_t word) {
#if defined(__GNUC__)
        return static_cast<size_t>(__builtin_ctzll(word));
#else
        size_t at = 0;
        while (!(word >> at & 1)) ++at;
        return at;
#endif
    }
    std::vector<Border> borders_;
    std::vector<size_t> first_, first_leaf_;
    std::vector<Leaf> leaves_;
};

struct Look {
    Curves curves;
    Bins bins;
    double intercept[CLASSES] = {};

    // Probabilities of the classes.
    void at(const double* numbers, std::vector<uint64_t>& scratch, double* shares) const {
        std::copy_n(intercept, CLASSES, shares);
        curves.add(numbers, shares);
        bins.add(numbers, scratch, shares);
        const double most = std::max({shares[0], shares[1], shares[2]});
        double total = 0.0;
        for (size_t c = 0; c < CLASSES; ++c) total += shares[c] = std::exp(shares[c] - most);
        for (size_t c = 0; c < CLASSES; ++c) shares[c] /= total;
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
