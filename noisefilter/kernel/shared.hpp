// Who in an article holds what: the paragraphs of each stem, near-duplicates, and the article without them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "reading.hpp"

namespace noisefilter {

constexpr size_t SUBSTANTIAL = 5;
constexpr double NEAR_DUPLICATE = 0.8;

class Shared {
  protected:
    Shared(std::vector<const Paragraph*> paragraphs, size_t stems, size_t reach)
        : ps_(std::move(paragraphs)), reach_(reach), marks_(stems), total_(stems), amount_(stems) {
        hold(stems);
        group();
        find_near();
    }

    size_t size() const { return ps_.size(); }

    struct Holder {
        uint32_t at;
        double weight;
    };
    // For each stem `n` of paragraph `i`, how many hold it besides the paragraph's twins.
    const uint32_t* others_of(size_t i) const { return others_.data() + offset_[i]; }
    bool twin(size_t i, size_t j) const { return group_[i] == group_[j] || near_duplicate(i, j); }
    bool near_duplicate(size_t i, size_t j) const {
        return std::binary_search(near_.begin() + near_start_[i], near_.begin() + near_start_[i + 1],
                                  static_cast<uint32_t>(j));
    }
    size_t group_size(size_t i) const { return group_start_[group_[i] + 1] - group_start_[group_[i]]; }

    // TF-IDF of the whole article and of each group, each paragraph as heavy as `share` says; its square.
    template <class Share>
    double weigh(Share share) {
        std::fill(total_.begin(), total_.end(), 0.0);
        for (size_t i = 0; i < size(); ++i)
            for (const Stem& stem : ps_[i]->stems) total_[stem.id] += share(i) * stem.weight;
        double square = 0.0;
        for (double value : total_) square += value * value;
        of_group_.assign(offset_.back(), 0.0);
        for (size_t g = 0; g + 1 < group_start_.size(); ++g) {
            const uint32_t head = members_[group_start_[g]];
            const auto& stems = ps_[head]->stems;
            for (const Stem& stem : stems) amount_[stem.id] = 0.0;
            for (size_t at = group_start_[g]; at < group_start_[g + 1]; ++at)
                for (const Stem& stem : ps_[members_[at]]->stems) amount_[stem.id] += share(members_[at]) * stem.weight;
            for (size_t n = 0; n < stems.size(); ++n) of_group_[offset_[head] + n] = amount_[stems[n].id];
            for (const Stem& stem : stems) amount_[stem.id] = 0.0;
        }
        return square;
    }

    // The cosine of a paragraph to all that are not its twins.
    template <class Share>
    double cosine_to_rest(size_t i, double square, Share share) {
        const Paragraph& p = *ps_[i];
        const uint32_t head = members_[group_start_[group_[i]]];
        const auto& stems = ps_[head]->stems;
        own_.clear();
        for (size_t n = 0; n < stems.size(); ++n) {
            amount_[stems[n].id] = of_group_[offset_[head] + n];
            marks_[stems[n].id] = 1;
            own_.push_back(stems[n].id);
        }
        for (size_t at = near_start_[i]; at < near_start_[i + 1]; ++at)
            for (const Stem& stem : ps_[near_[at]]->stems) {
                if (!marks_[stem.id]) {
                    marks_[stem.id] = 1;
                    own_.push_back(stem.id);
                }
                amount_[stem.id] += share(near_[at]) * stem.weight;
            }
        for (int32_t id : own_) {
            const double rest = total_[id] - amount_[id];
            square += rest * rest - total_[id] * total_[id];
        }
        double dot = 0.0;
        const uint32_t* others = others_of(i);
        for (size_t n = 0; n < p.stems.size(); ++n)
            if (others[n]) dot += p.stems[n].weight * (total_[p.stems[n].id] - amount_[p.stems[n].id]);
        for (int32_t id : own_) {
            amount_[id] = 0.0;
            marks_[id] = 0;
        }
        return p.norm > 0 && square > 1e-9 ? dot / (p.norm * std::sqrt(square)) : 0.0;
    }

    template <class Column>
    double median(Column column) {
        values_.clear();
        for (size_t i = 0; i < size(); ++i)
            if (ps_[i]->stems.size() >= SUBSTANTIAL) values_.push_back(column(i));
        if (values_.empty())
            for (size_t i = 0; i < size(); ++i) values_.push_back(column(i));
        const auto middle = values_.begin() + static_cast<std::ptrdiff_t>(values_.size() / 2);
        std::nth_element(values_.begin(), middle, values_.end());
        return values_.size() % 2 ? *middle : (*std::max_element(values_.begin(), middle) + *middle) / 2.0;
    }

    std::vector<const Paragraph*> ps_;
    size_t reach_;
    std::vector<uint32_t> marks_;  // scratch for each stem, all zero between uses
    std::vector<size_t> start_, group_start_, near_start_;
    std::vector<Holder> holders_;
    std::vector<uint32_t> group_, members_, near_;
    std::vector<double> nearest_;

  private:
    void hold(size_t stems) {
        start_.assign(stems + 1, 0);
        offset_.assign(size() + 1, 0);
        for (size_t i = 0; i < size(); ++i) {
            offset_[i + 1] = offset_[i] + ps_[i]->stems.size();
            for (const Stem& stem : ps_[i]->stems) ++start_[stem.id + 1];
        }
        for (size_t id = 0; id < stems; ++id) start_[id + 1] += start_[id];
        holders_.resize(offset_.back());
        std::vector<size_t> next(start_.begin(), start_.end() - 1);
        for (size_t i = 0; i < size(); ++i)
            for (const Stem& stem : ps_[i]->stems) holders_[next[stem.id]++] = {static_cast<uint32_t>(i), stem.weight};
    }

    // Paragraphs of the same stems, or where there are none of the same text, are one group.
    void group() {
        std::vector<uint32_t> order(size());
        for (size_t i = 0; i < size(); ++i) order[i] = static_cast<uint32_t>(i);
        std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
            return ps_[a]->digest != ps_[b]->digest ? ps_[a]->digest < ps_[b]->digest : a < b;
        });
        const auto same = [&](uint32_t a, uint32_t b) {
            return ps_[a]->sorted == ps_[b]->sorted && ps_[a]->text == ps_[b]->text;
        };
        group_.assign(size(), 0);
        std::vector<uint32_t> heads;  // of the groups that share a digest: more than one only if it collides
        size_t groups = 0;
        for (size_t at = 0; at < size(); ++at) {
            const uint32_t i = order[at];
            if (at > 0 && ps_[i]->digest != ps_[order[at - 1]]->digest) heads.clear();
            const auto head = std::find_if(heads.begin(), heads.end(), [&](uint32_t other) { return same(i, other); });
            if (head == heads.end()) {
                heads.push_back(i);
                group_[i] = static_cast<uint32_t>(groups++);
            } else {
                group_[i] = group_[*head];
            }
        }
        group_start_.assign(groups + 1, 0);
        for (uint32_t g : group_) ++group_start_[g + 1];
        for (size_t g = 0; g < groups; ++g) group_start_[g + 1] += group_start_[g];
        members_.resize(size());
        std::vector<size_t> next(group_start_.begin(), group_start_.end() - 1);
        for (size_t i = 0; i < size(); ++i) members_[next[group_[i]]++] = static_cast<uint32_t>(i);
    }

    // Near-duplicates within reach, the greatest cosine to any other, and who else holds each stem.
    void find_near() {
        near_start_.assign(1, 0);
        nearest_.assign(size(), 0.0);
        others_.resize(offset_.back());
        std::vector<double> dots(2 * reach_ + 1);
        std::vector<uint32_t> shared(2 * reach_ + 1);
        for (size_t i = 0; i < size(); ++i) {
            const Paragraph& p = *ps_[i];
            const size_t low = i > reach_ ? i - reach_ : 0, high = std::min(size() - 1, i + reach_);
            std::fill_n(dots.begin(), high - low + 1, 0.0);
            std::fill_n(shared.begin(), high - low + 1, 0);
            for (const Stem& stem : p.stems) {
                const Holder* holder = holders_.data() + start_[stem.id];
                const Holder* end = holders_.data() + start_[stem.id + 1];
                if (low > 0)
                    holder = std::lower_bound(holder, end, low, [](const Holder& h, size_t at) { return h.at < at; });
                for (; holder != end && holder->at <= high; ++holder) {
                    dots[holder->at - low] += stem.weight * holder->weight;
                    ++shared[holder->at - low];
                }
            }
            for (size_t j = low; j <= high; ++j) {
                if (shared[j - low] == 0 || group_[i] == group_[j]) continue;
                const Paragraph& other = *ps_[j];
                const size_t together = p.stems.size() + other.stems.size() - shared[j - low];
                if (static_cast<double>(shared[j - low]) / static_cast<double>(together) >= NEAR_DUPLICATE)
                    near_.push_back(static_cast<uint32_t>(j));
                else if (p.norm > 0 && other.norm > 0)
                    nearest_[i] = std::max(nearest_[i], dots[j - low] / (p.norm * other.norm));
            }
            near_start_.push_back(near_.size());
            count_others(i);
        }
    }

    void count_others(size_t i) {
        const Paragraph& p = *ps_[i];
        uint32_t* others = others_.data() + offset_[i];
        const size_t same = group_size(i);
        for (size_t n = 0; n < p.stems.size(); ++n) {
            const int32_t id = p.stems[n].id;
            others[n] = static_cast<uint32_t>(start_[id + 1] - start_[id] - same);
            marks_[id] = static_cast<uint32_t>(n) + 1;
        }
        for (size_t at = near_start_[i]; at < near_start_[i + 1]; ++at)
            for (const Stem& stem : ps_[near_[at]]->stems)
                if (marks_[stem.id]) --others[marks_[stem.id] - 1];
        for (const Stem& stem : p.stems) marks_[stem.id] = 0;
    }

    std::vector<double> total_, amount_, of_group_, values_;
    std::vector<size_t> offset_;
    std::vector<uint32_t> others_;
    std::vector<int32_t> own_;
};

}  // namespace noisefilter
