// Bins of several numbers, drawn by trees (`noisefilter.bins`).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "lanes.hpp"

namespace noisefilter {

constexpr double GRADES = 1e9;  // numbers and borders are compared to nine decimals

// Found number by number and not tree by tree (Lucchese et al., *QuickScorer*, SIGIR 2015, and its vectors, SIGIR
// 2016): a border that is passed rules out the leaves on its left, and the first leaf that is left is the row's.
class Bins {
  public:
    static constexpr size_t MOST_LEAVES = 64;

    // What of the trees is left, LANES rows side by side; scratch that is used again.
    using Left = std::vector<Shorts8>;

    void build(const int32_t* feature, const double* border, const int32_t* left, const int32_t* right, size_t nodes,
               const int32_t* roots, size_t trees, const double* coef, size_t columns, size_t hats, size_t numbers) {
        std::vector<size_t> bin(nodes);
        size_t bins = 0;
        std::vector<bool> reached(nodes);  // twice, and the file would be no measure of the trees
        const auto sound = [&](int32_t at, size_t after) {
            const size_t node = static_cast<size_t>(at);
            if (at < 0 || node < after || node >= nodes || reached[node]) return false;
            return static_cast<bool>(reached[node] = true);
        };
        const auto refuse = [](bool sound) {
            if (!sound) throw std::invalid_argument("the bins are not trees over the columns");
        };
        for (size_t node = 0; node < nodes; ++node) {  // also those that no root leads to
            bin[node] = bins;
            if (feature[node] == NONE) {
                const int64_t here = static_cast<int64_t>(node);
                refuse(left[node] == here && right[node] == here);
                ++bins;
            } else {
                refuse(feature[node] >= 0 && static_cast<size_t>(feature[node]) < numbers);
                refuse(sound(left[node], node + 1) && sound(right[node], node + 1));
            }
        }
        for (size_t tree = 0; tree < trees; ++tree) refuse(sound(roots[tree], 0));
        if (hats + bins != columns) throw std::invalid_argument("the bins do not match their weights");
        std::vector<std::vector<Split>> of_number(numbers);
        size_t leaf = 0;  // of the tree
        const auto walk = [&](auto&& self, size_t node, size_t depth) -> void {
            if (depth > MOST_LEAVES) throw std::length_error("a tree is deeper than the kernel takes");
            if (feature[node] == NONE) {
                if (leaf >= MOST_LEAVES) throw std::length_error("a tree has more leaves than the kernel takes");
                if (leaf % WORD == 0) leaves_.resize(leaves_.size() + WORD);
                Leaf& weights = leaves_[first_word_.back() * WORD + leaf++];
                for (size_t c = 0; c < CLASSES; ++c) weights.weight[c] = coef[c * columns + hats + bin[node]];
                return;
            }
            const size_t first = leaf;
            self(self, static_cast<size_t>(left[node]), depth + 1);
            of_number[static_cast<size_t>(feature[node])].push_back(
                {std::rint(border[node] * GRADES), first_word_.back(), first, leaf});
            self(self, static_cast<size_t>(right[node]), depth + 1);
        };
        for (size_t tree = 0; tree < trees; ++tree) {
            first_word_.push_back(leaves_.size() / WORD);
            leaf = 0;
            walk(walk, static_cast<size_t>(roots[tree]), 0);
        }
        for (const std::vector<Split>& splits : of_number) put(splits);
    }

    void add(const Lanes* numbers, Left& left, Sums& sums) const {
        Shorts8 all;
        std::fill_n(all.at, LANES, int16_t{-1});
        left.assign(leaves_.size() / WORD, all);
        rule_out(*this, numbers, left.data());
        add_up(*this, left.data(), sums);
    }

  private:
    static constexpr size_t WORD = 16;  // leaves that are told in one word; a larger tree has several words

    struct Split {
        double border;
        size_t word, first, last;  // the tree's first word, and which of its leaves are on the left
    };
    struct Number {
        size_t values_end, borders_end;
    };
    struct Border {
        int16_t rank;  // among the number's values
        int16_t mask;  // without the leaves on the left
        uint32_t word;
    };
    struct Leaf {
        double weight[CLASSES + 1];  // the last is nothing
    };

    void put(const std::vector<Split>& splits) {
        const size_t start = values_.size();
        for (const Split& split : splits) values_.push_back(split.border);
        std::sort(values_.begin() + static_cast<std::ptrdiff_t>(start), values_.end());
        values_.erase(std::unique(values_.begin() + static_cast<std::ptrdiff_t>(start), values_.end()), values_.end());
        if (values_.size() - start > INT16_MAX)
            throw std::length_error("a number has more borders than the kernel takes");
        for (const Split& split : splits) {
            const auto from = values_.begin() + static_cast<std::ptrdiff_t>(start);
            const auto rank = static_cast<int16_t>(std::lower_bound(from, values_.end(), split.border) - from);
            for (size_t word = split.first / WORD; word * WORD < split.last; ++word) {
                uint16_t mask = 0xffff;
                for (size_t n = 0; n < WORD; ++n)
                    if (word * WORD + n >= split.first && word * WORD + n < split.last)
                        mask = static_cast<uint16_t>(mask & ~(1u << n));
                borders_.push_back({rank, static_cast<int16_t>(mask), static_cast<uint32_t>(split.word + word)});
            }
        }
        numbers_.push_back({values_.size(), borders_.size()});
    }

    // Every border is held against every row: that costs less than to find out which need not be.
    NOISEFILTER_WIDER static void rule_out(const Bins& bins, const Lanes* numbers, Shorts8* left) {
        const double *values = bins.values_.data(), *value = values;
        const Border *borders = bins.borders_.data(), *border = borders;
        for (const Number& number : bins.numbers_) {
            Lanes grades;
            Shorts8 passed;
            for (size_t n = 0; n < LANES; ++n) grades.at[n] = std::rint(numbers->at[n] * GRADES);
            ++numbers;
            count_passed<false>(value, values + number.values_end, grades, passed);
            value = values + number.values_end;
            for (const Border* end = borders + number.borders_end; border != end; ++border)
                keep_only(border->mask, border->rank, passed, left[border->word]);
        }
    }

    NOISEFILTER_WIDER static void add_up(const Bins& bins, const Shorts8* left, Sums& sums) {
        ByClass added[LANES] = {};
        const Leaf* leaves = bins.leaves_.data();
        for (const size_t first : bins.first_word_)
            for (size_t n = 0; n < LANES; ++n) {
                size_t word = first;
                while (left[word].at[n] == 0) ++word;
                add_to(added[n], leaves[word * WORD + lowest(static_cast<uint16_t>(left[word].at[n]))].weight);
            }
        for (size_t c = 0; c < CLASSES; ++c)
            for (size_t n = 0; n < LANES; ++n) sums[c].at[n] += added[n][c];
    }

    std::vector<Number> numbers_;
    std::vector<double> values_;  // of each number's borders, rising
    std::vector<Border> borders_;
    std::vector<size_t> first_word_;
    std::vector<Leaf> leaves_;
};

}  // namespace noisefilter
