// The paragraphs of one article held against each other: see `noisefilter.context` and `noisefilter.relations`.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "shared.hpp"

namespace noisefilter {

constexpr size_t NEIGHBOURS = 2, SHORT = 15, LONG = 25;

enum Context {
    ELSEWHERE, ELSEWHERE_TWICE, COSINE_REST, COSINE_NEAREST, BEFORE, AFTER, AROUND, TITLE_COVERED, TITLE_COVERS,
    TITLE_LIKE, NAMES_ELSEWHERE, NAMES_NEW, NUMBERS_NEW, ELSEWHERE_RELATIVE, COSINE_RELATIVE, AROUND_RELATIVE,
    NAMES_RELATIVE, WORDS_RELATIVE, POSITION, FROM_START, FROM_END, ARTICLE_LENGTH, SHAPE, REPEATS_BEFORE = SHAPE + 12,
    REPEATS_AFTER, PREVIOUS_WORDS, NEXT_WORDS, PREVIOUS_ENDS, NEXT_ENDS, SHORT_RUN, LONG_BELOW, CONTEXT
};

enum Relation { VOUCHED, WORDS_VOUCHED, WORDS_ALONE, NAMES_VOUCHED, NAMES_ALONE, NAMES_KNOWN, MEASURES };
constexpr size_t DISTANCES = 3, COSINE_TRUSTED = DISTANCES * MEASURES, AROUND_TRUSTED = COSINE_TRUSTED + 1,
                 ABSOLUTE = AROUND_TRUSTED + 1, TELLING = 8, RELATIONS = 2 * ABSOLUTE + 2 * TELLING;
constexpr double NOT_THIS = -2.0;

class Article : private Shared {
  public:
    // `stems` is how many numbers the article's stems have; `title_at` is the title's place, or negative.
    Article(std::vector<const Paragraph*> paragraphs, const Paragraph& title, int64_t title_at, size_t stems,
            size_t reach)
        : Shared(std::move(paragraphs), stems, reach), title_(title), title_at_(title_at), title_holds_(stems),
          best_(stems) {
        for (const Stem& stem : title_.stems) title_holds_[stem.id] = 1;
        tabulate();
    }

    using Shared::size;
    const double* context(size_t i) const { return &table_[i * CONTEXT]; }
    const double* relation(size_t i) const { return &relations_[i * ABSOLUTE]; }
    const Paragraph& paragraph(size_t i) const { return *ps_[i]; }

    // What the trusted paragraphs say of each other; `trust` is the probability that each is content.
    void relate(const std::vector<double>& trust) {
        rank(trust);
        double square = weigh([&](size_t i) { return trust[i]; });
        relations_.assign(size() * ABSOLUTE, 0.0);
        for (size_t i = 0; i < size(); ++i) relate_one(i, trust, square);
        medians_.resize(ABSOLUTE);
        for (size_t column = 0; column < ABSOLUTE; ++column)
            medians_[column] = median([&](size_t i) { return relations_[i * ABSOLUTE + column]; });
    }

    // The relations of one paragraph in the order of `noisefilter.relations.RELATIONS`.
    void relations_of(size_t i, double* row) const {
        const double* absolute = relation(i);
        for (size_t column = 0; column < ABSOLUTE; ++column) {
            row[column] = absolute[column];
            row[ABSOLUTE + column] = absolute[column] - medians_[column];
        }
        static const size_t TOLD[] = {VOUCHED, 2 * MEASURES + VOUCHED, COSINE_TRUSTED, AROUND_TRUSTED};
        const bool is_long = ps_[i]->shape[WORDS] > std::log1p(9.0);
        double* told = row + 2 * ABSOLUTE;
        for (size_t n = 0; n < TELLING; ++n) {
            const double value = row[TOLD[n % 4] + (n < 4 ? 0 : ABSOLUTE)];
            told[n] = is_long ? value : NOT_THIS;
            told[TELLING + n] = is_long ? NOT_THIS : value;
        }
    }

  private:
    bool titled(size_t i) const { return title_at_ != static_cast<int64_t>(i) && title_.mass > 0; }

    void tabulate() {
        table_.assign(size() * CONTEXT, 0.0);
        const auto once = [](size_t) { return 1.0; };
        const double square = weigh(once);
        for (size_t i = 0; i < size(); ++i) {
            double* row = &table_[i * CONTEXT];
            words_elsewhere(i, row);
            row[COSINE_REST] = cosine_to_rest(i, square, once);
            row[COSINE_NEAREST] = nearest_[i];
            std::copy_n(ps_[i]->shape, 12, row + SHAPE);
            place(i, row);
        }
        static const size_t RELATIVE[][2] = {{ELSEWHERE_RELATIVE, ELSEWHERE}, {COSINE_RELATIVE, COSINE_REST},
                                             {AROUND_RELATIVE, AROUND},       {NAMES_RELATIVE, NAMES_ELSEWHERE},
                                             {WORDS_RELATIVE, SHAPE + WORDS}};
        for (const auto& pair : RELATIVE) {
            const double middle = median([&](size_t i) { return table_[i * CONTEXT + pair[1]]; });
            for (size_t i = 0; i < size(); ++i) table_[i * CONTEXT + pair[0]] = table_[i * CONTEXT + pair[1]] - middle;
        }
        runs();
    }

    void words_elsewhere(size_t i, double* row) {
        const Paragraph& p = *ps_[i];
        const uint32_t* others = others_of(i);
        const bool has_title = titled(i);
        mark_near(i, -1, 1);
        mark_near(i, 1, 2);
        double elsewhere = 0, twice = 0, before = 0, after = 0, around = 0, covers = 0, covered = 0;
        for (size_t n = 0; n < p.stems.size(); ++n) {
            const Stem& stem = p.stems[n];
            const bool in_title = has_title && title_holds_[stem.id];
            if (others[n] > 0 || in_title) elsewhere += stem.idf;
            if (others[n] > 1) twice += stem.idf;
            if (in_title) covers += stem.idf;
            const uint32_t side = marks_[stem.id];
            if (side & 1) before += stem.idf;
            if (side & 2) after += stem.idf;
            if (side) around += stem.idf;
        }
        clear_near();
        const auto share = [&](double sum) { return p.mass != 0 ? sum / p.mass : 0.5; };
        const auto met = [&](uint32_t n) { return others[n] > 0 || (has_title && title_holds_[p.stems[n].id]); };
        row[ELSEWHERE] = share(elsewhere);
        row[ELSEWHERE_TWICE] = share(twice);
        row[BEFORE] = share(before);
        row[AFTER] = share(after);
        row[AROUND] = share(around);
        if (has_title) {
            for (const Stem& stem : p.stems) marks_[stem.id] = 1;
            for (const Stem& stem : title_.stems)
                if (marks_[stem.id]) covered += stem.idf;
            for (const Stem& stem : p.stems) marks_[stem.id] = 0;
            row[TITLE_COVERED] = covered / title_.mass;
            row[TITLE_COVERS] = share(covers);
            row[TITLE_LIKE] = std::min(row[TITLE_COVERED], row[TITLE_COVERS]);
        }
        const size_t names = p.names.size();
        const size_t known = static_cast<size_t>(std::count_if(p.names.begin(), p.names.end(), met));
        const size_t figures = static_cast<size_t>(std::count_if(p.figures.begin(), p.figures.end(), met));
        row[NAMES_ELSEWHERE] = names ? static_cast<double>(known) / static_cast<double>(names) : 0.5;
        row[NAMES_NEW] = std::log1p(static_cast<double>(names - known));
        row[NUMBERS_NEW] = std::log1p(static_cast<double>(p.numbers - figures));
    }

    // Marks the stems of the next few paragraphs on one side that are no twins.
    void mark_near(size_t i, int step, uint32_t side) {
        size_t found = 0;
        for (size_t away = 1; away <= reach_ && found < NEIGHBOURS; ++away) {
            if (step < 0 ? away > i : i + away >= size()) return;
            const size_t at = step < 0 ? i - away : i + away;
            if (twin(i, at)) continue;
            for (const Stem& stem : ps_[at]->stems) {
                marks_[stem.id] |= side;
                marked_.push_back(stem.id);
            }
            ++found;
        }
    }
    void clear_near() {
        for (int32_t id : marked_) marks_[id] = 0;
        marked_.clear();
    }

    void place(size_t i, double* row) const {
        const size_t count = size();
        const auto log1p = [](size_t n) { return std::log1p(static_cast<double>(n)); };
        size_t first = members_[group_start_[group_[i]]], last = members_[group_start_[group_[i] + 1] - 1];
        if (near_start_[i] < near_start_[i + 1]) {
            first = std::min<size_t>(first, near_[near_start_[i]]);
            last = std::max<size_t>(last, near_[near_start_[i + 1] - 1]);
        }
        row[POSITION] = static_cast<double>(i) / static_cast<double>(std::max<size_t>(1, count - 1));
        row[FROM_START] = log1p(i);
        row[FROM_END] = log1p(count - 1 - i);
        row[ARTICLE_LENGTH] = log1p(count);
        row[REPEATS_BEFORE] = first < i;
        row[REPEATS_AFTER] = last > i;
        row[PREVIOUS_WORDS] = i > 0 ? log1p(ps_[i - 1]->words) : -1.0;
        row[NEXT_WORDS] = i + 1 < count ? log1p(ps_[i + 1]->words) : -1.0;
        row[PREVIOUS_ENDS] = i > 0 ? static_cast<double>(ps_[i - 1]->ends) : 0.5;
        row[NEXT_ENDS] = i + 1 < count ? static_cast<double>(ps_[i + 1]->ends) : 0.5;
    }

    void runs() {
        const auto is_short = [&](size_t i) { return ps_[i]->words < SHORT; };
        std::vector<size_t> before(size(), 0);
        for (size_t i = 1; i < size(); ++i) before[i] = is_short(i - 1) ? before[i - 1] + 1 : 0;
        size_t after = 0, below = 0;
        for (size_t i = size(); i-- > 0;) {
            if (i + 1 < size()) after = is_short(i + 1) ? after + 1 : 0;
            const size_t in_row = before[i] + (is_short(i) ? 1 + after : 0);
            table_[i * CONTEXT + SHORT_RUN] = std::log1p(static_cast<double>(in_row));
            table_[i * CONTEXT + LONG_BELOW] = std::log1p(static_cast<double>(below));
            below += ps_[i]->words > LONG;
        }
    }

    // The holders of each stem, the most trusted first; and where the next of another group stands.
    void rank(const std::vector<double>& trust) {
        ranked_.resize(holders_.size());
        skip_.resize(holders_.size());
        for (size_t id = 0; id + 1 < start_.size(); ++id) {
            const size_t from = start_[id], to = start_[id + 1];
            if (to - from < 2) continue;  // nobody but the paragraph itself
            for (size_t at = from; at < to; ++at) ranked_[at] = holders_[at].at;
            std::sort(ranked_.data() + from, ranked_.data() + to,
                      [&](uint32_t a, uint32_t b) { return trust[a] != trust[b] ? trust[a] > trust[b] : a < b; });
            for (size_t at = to; at-- > from;)
                skip_[at] = at + 1 < to && group_[ranked_[at]] == group_[ranked_[at + 1]]
                                ? skip_[at + 1]
                                : static_cast<uint32_t>(at + 1);
        }
    }

    void relate_one(size_t i, const std::vector<double>& trust, double square) {
        const Paragraph& p = *ps_[i];
        double* row = &relations_[i * ABSOLUTE];
        const bool has_title = titled(i);
        const uint32_t* others = others_of(i);
        vouched_.assign(DISTANCES * p.stems.size(), 0.0);
        for (size_t n = 0; n < p.stems.size(); ++n) {
            if (others[n]) vouch(i, p.stems[n].id, trust, &vouched_[DISTANCES * n]);
            if (has_title && title_holds_[p.stems[n].id]) vouched_[DISTANCES * n] = 1.0;
        }
        for (size_t d = 0; d < DISTANCES; ++d) {
            double words = 0.0, mass = 0.0, names = 0.0;
            for (size_t n = 0; n < p.stems.size(); ++n) {
                words += vouched_[DISTANCES * n + d];
                mass += p.stems[n].idf * vouched_[DISTANCES * n + d];
            }
            for (uint32_t n : p.names) names += vouched_[DISTANCES * n + d];
            double* measure = row + d * MEASURES;
            const double stems = static_cast<double>(p.stems.size()), named = static_cast<double>(p.names.size());
            measure[VOUCHED] = p.mass != 0 ? mass / p.mass : 0.5;
            measure[WORDS_VOUCHED] = std::log1p(words);
            measure[WORDS_ALONE] = std::log1p(std::max(0.0, stems - words));
            measure[NAMES_VOUCHED] = named > 0 ? names / named : 0.5;
            measure[NAMES_ALONE] = std::log1p(std::max(0.0, named - names));
            measure[NAMES_KNOWN] = std::log1p(names);
        }
        row[COSINE_TRUSTED] = cosine_to_rest(i, square, [&](size_t at) { return trust[at]; });
        row[AROUND_TRUSTED] = around_trusted(i, trust);
    }

    // The trust of the most trusted that hold a stem, further away than 0, 1 and 2 paragraphs.
    void vouch(size_t i, int32_t id, const std::vector<double>& trust, double* vouched) const {
        size_t missing = 0;
        for (size_t at = start_[id]; at < start_[id + 1] && missing < DISTANCES;) {
            const size_t j = ranked_[at];
            if (group_[j] == group_[i]) {
                at = skip_[at];
                continue;
            }
            ++at;
            if (near_duplicate(i, j)) continue;
            const size_t away = j > i ? j - i : i - j;
            for (; missing < DISTANCES && away > missing; ++missing) vouched[missing] = trust[j];
        }
    }

    double around_trusted(size_t i, const std::vector<double>& trust) {
        const Paragraph& p = *ps_[i];
        if (p.mass == 0) return 0.5;
        const size_t last = std::min(size() - 1, i + NEIGHBOURS);
        for (size_t at = i > NEIGHBOURS ? i - NEIGHBOURS : 0; at <= last; ++at) {
            if (twin(i, at)) continue;
            for (const Stem& stem : ps_[at]->stems) best_[stem.id] = std::max(best_[stem.id], trust[at]);
        }
        double sum = 0.0;
        for (const Stem& stem : p.stems) sum += stem.idf * best_[stem.id];
        for (size_t at = i > NEIGHBOURS ? i - NEIGHBOURS : 0; at <= last; ++at)
            for (const Stem& stem : ps_[at]->stems) best_[stem.id] = 0.0;
        return sum / p.mass;
    }

    const Paragraph& title_;
    int64_t title_at_;
    std::vector<uint8_t> title_holds_;
    std::vector<double> best_, table_, relations_, medians_, vouched_;
    std::vector<uint32_t> ranked_, skip_;
    std::vector<int32_t> marked_;
};

}  // namespace noisefilter
