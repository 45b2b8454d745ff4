// A model's numbers, and the articles that it reads: paragraphs in, probabilities out.
#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "article.hpp"
#include "lexicon.hpp"
#include "looks.hpp"
#include "reading.hpp"

namespace noisefilter {

struct Scorer {
    Lexicon lexicon;
    Vocabulary vocabulary;
    Look first, second;
    std::vector<uint8_t> class_of_family;
    size_t reach = 0;

    size_t wording() const { return 4 * lexicon.families; }
    size_t first_numbers() const { return ANSWERS + wording() + CONTEXT + RELATIONS; }
    size_t second_numbers() const { return first_numbers() + ANSWERS + PASTED; }

    std::unique_ptr<Desk> desk() {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (desks_.empty()) return std::make_unique<Desk>(lexicon.columns);
        std::unique_ptr<Desk> taken = std::move(desks_.back());
        desks_.pop_back();
        return taken;
    }
    void give_back(std::unique_ptr<Desk> desk) {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (desks_.size() < 8) desks_.push_back(std::move(desk));
    }

  private:
    std::mutex mutex_;
    std::vector<std::unique_ptr<Desk>> desks_;
};

// The paragraphs of one article, each read once, however often they are scored.
class Session {
  public:
    explicit Session(Scorer& scorer) : scorer_(scorer) {}

    // What is to be read: characters all plain, or what Python found.
    void add_plain(std::vector<uint16_t> text) { sources_.push_back({std::move(text), nullptr}); }
    void add_found(const Found& found) { sources_.push_back({{}, std::make_unique<Found>(found)}); }

    void read(const Character* table) {
        std::unique_ptr<Desk> desk = scorer_.desk();
        paragraphs_.resize(sources_.size());
        for (size_t i = 0; i < sources_.size(); ++i) {
            read_source(sources_[i], table, *desk, paragraphs_[i], true);
            sources_[i] = Source{};
        }
        sources_.clear();
        scorer_.give_back(std::move(desk));
    }

    size_t size() const { return paragraphs_.size(); }
    const Paragraph& paragraph(size_t i) const { return paragraphs_.at(i); }

    // Probabilities of the paragraphs of these indices as an article of their own, (count, 3); and what the second
    // look saw, (count, second_numbers), unless `seen` is null. What was added last is the title.
    void score(const Character* table, const std::vector<size_t>& indices, int64_t title_at, double* shares,
               double* seen) {
        const size_t count = indices.size(), families = scorer_.lexicon.families;
        Paragraph title;
        if (!sources_.empty()) {
            std::unique_ptr<Desk> desk = scorer_.desk();
            read_source(sources_.back(), table, *desk, title, false);
            scorer_.give_back(std::move(desk));
        }
        sources_.clear();
        if (count == 0) return;
        std::vector<const Paragraph*> chosen;
        for (size_t index : indices) chosen.push_back(&paragraphs_.at(index));
        Odds alone(count);
        std::vector<double> mean(families, 0.0), logs(count * families);
        for (size_t i = 0; i < count; ++i) {
            const std::vector<double>& own = chosen[i]->shares;
            double classes[CLASSES] = {0.0, 0.0, 0.0};
            for (size_t f = 0; f < families; ++f) {
                classes[scorer_.class_of_family[f]] += own[f];
                mean[f] += own[f];
                logs[i * families + f] = std::log(std::min(std::max(own[f], 1e-5), 1.0));
            }
            alone.set(i, classes);
        }
        for (double& share : mean) share /= static_cast<double>(count);
        alone.conclude();
        Article article(std::move(chosen), title, title_at, numbering_.size(), scorer_.reach);
        std::vector<double> trust(count), row(scorer_.second_numbers());
        std::vector<Lanes> numbers(row.size());
        Bins::Left scratch;
        Sums look;
        for (size_t i = 0; i < count; ++i) trust[i] = alone.trust(i);
        article.relate(trust);
        Odds looked(count);
        for (size_t i = 0; i < count; ++i) {
            fill(article, alone, logs, mean, i, row.data());
            const size_t lane = i % LANES;
            for (size_t n = 0; n < scorer_.first_numbers(); ++n) numbers[n].at[lane] = row[n];
            if (lane + 1 < LANES && i + 1 < count) continue;
            scorer_.first.at(numbers.data(), scratch, look);
            for (size_t n = 0; n <= lane; ++n) {
                const double shares_there[CLASSES] = {look[0].at[n], look[1].at[n], look[2].at[n]};
                looked.set(i - lane + n, shares_there);
                trust[i - lane + n] = look[CONTENT].at[n];
            }
        }
        looked.conclude();
        article.relate(trust);
        for (size_t i = 0; i < count; ++i) {
            fill(article, alone, logs, mean, i, row.data());
            double* more = row.data() + scorer_.first_numbers();
            looked.answers(i, more);
            const double* relation = article.relation(i);
            looked.pasted(i, relation[2 * MEASURES + VOUCHED], relation[COSINE_TRUSTED],
                          article.paragraph(i).shape[WORDS] > std::log1p(9.0), more + ANSWERS);
            if (seen != nullptr) std::copy(row.begin(), row.end(), seen + i * row.size());
            const size_t lane = i % LANES;
            for (size_t n = 0; n < row.size(); ++n) numbers[n].at[lane] = row[n];
            if (lane + 1 < LANES && i + 1 < count) continue;
            scorer_.second.at(numbers.data(), scratch, look);
            for (size_t n = 0; n <= lane; ++n)
                for (size_t c = 0; c < CLASSES; ++c) shares[(i - lane + n) * CLASSES + c] = look[c].at[n];
        }
    }

  private:
    struct Source {
        std::vector<uint16_t> text;
        std::unique_ptr<Found> found;
    };

    void read_source(const Source& source, const Character* table, Desk& desk, Paragraph& p, bool terms) {
        const Scorer& s = scorer_;
        if (source.found != nullptr) {
            if (terms) read_terms(*source.found, s.lexicon, desk, p);
            read_stems(*source.found, s.lexicon, s.vocabulary, numbering_, desk, p);
        } else {
            desk.text.take(source.text, table);
            hear(desk.text, s.vocabulary, desk);
            if (terms) read_terms(desk.text, s.lexicon, desk, p);
            read_stems(desk.text, s.lexicon, s.vocabulary, numbering_, desk, p);
        }
    }

    void fill(const Article& article, const Odds& alone, const std::vector<double>& logs,
              const std::vector<double>& mean, size_t i, double* row) const {
        const size_t families = scorer_.lexicon.families;
        alone.answers(i, row);
        row += ANSWERS;
        const auto beside = [&](size_t at, bool there) {
            if (there) std::copy_n(&logs[at * families], families, row);
            else std::fill_n(row, families, -12.0);
            row += families;
        };
        beside(i, true);
        beside(i - 1, i > 0);
        beside(i + 1, i + 1 < article.size());
        row = std::copy(mean.begin(), mean.end(), row);
        row = std::copy_n(article.context(i), static_cast<size_t>(CONTEXT), row);
        article.relations_of(i, row);
    }

    Scorer& scorer_;
    Numbering numbering_;
    std::vector<Source> sources_;
    std::vector<Paragraph> paragraphs_;
};

}  // namespace noisefilter
