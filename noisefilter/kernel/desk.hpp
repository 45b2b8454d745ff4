// What one thread needs while it reads: counts of terms, lines of tokens, and the sums of their weights.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rows.hpp"
#include "tables.hpp"
#include "terms.hpp"
#include "tokens.hpp"

namespace noisefilter {

// How often each column was met; the columns come out in their order, as in a sparse matrix of scikit-learn.
class Tally {
  public:
    explicit Tally(size_t columns) : many_(columns >> (2 * DIGIT)) {}

    void add(size_t column) { met_.push_back(static_cast<uint32_t>(column)); }
    // Room for so many more, to be filled from the place that is returned up to that which `close` is told.
    uint32_t* open(size_t more) {
        const size_t size = met_.size();
        met_.resize(size + more);
        return met_.data() + size;
    }
    void close(const uint32_t* end) { met_.resize(static_cast<size_t>(end - met_.data())); }

    // The distinct columns that were met, rising, and how often each was; the next paragraph begins.
    struct Counted {
        const uint32_t* columns;
        const uint32_t* counts;
        size_t size;
    };
    Counted empty() {
        if (many_) sort<4>();
        else sort<2>();
        counts_.resize(met_.size() + 1);
        size_t size = 0;
        for (size_t n = 0, first = 0; n < met_.size();) {  // without a jump: what comes again cannot be foreseen
            const uint32_t column = met_[n];
            sorted_[size] = column;
            counts_[size] = static_cast<uint32_t>(++n - first);
            const bool last = n == met_.size() || met_[n] != column;
            size += last;
            first = last ? n : first;
        }
        met_.clear();
        return {sorted_.data(), counts_.data(), size};
    }

  private:
    static constexpr size_t DIGIT = 9, BUCKETS = size_t{1} << DIGIT;

    // By digits, the lowest first.
    template <size_t DIGITS>
    void sort() {
        uint32_t starts[DIGITS][BUCKETS] = {};
        const auto digit_of = [](uint32_t column, size_t digit) { return column >> (digit * DIGIT) & (BUCKETS - 1); };
        for (uint32_t column : met_)
            for (size_t digit = 0; digit < DIGITS; ++digit) ++starts[digit][digit_of(column, digit)];
        sorted_.resize(met_.size());
        for (size_t digit = 0; digit < DIGITS; ++digit) {
            uint32_t start = 0;
            for (uint32_t& bucket : starts[digit]) start += std::exchange(bucket, start);
            for (uint32_t column : met_) sorted_[starts[digit][digit_of(column, digit)]++] = column;
            met_.swap(sorted_);
        }
    }

    bool many_;  // columns
    LargeVector<uint32_t> met_, sorted_, counts_;
};

// A line of tokens with blanks between, whose hashes over any stretch follow from those of its prefixes.
class Line {
  public:
    void clear() {
        size_ = 0;
        spans_.clear();
    }
    void start() {
        if (size_) put(' ');
        from_ = size_;
    }
    // A place for so many bytes more, and up to where it was filled.
    char* room(size_t more) {
        if (bytes_.size() < size_ + more) bytes_.resize(2 * (size_ + more));
        return bytes_.data() + size_;
    }
    void filled(const char* end) { size_ = static_cast<size_t>(end - bytes_.data()); }
    void put(uint16_t character) { filled(encode(character, room(LONGEST_CHARACTER))); }
    void put(std::string_view token) { filled(std::copy(token.begin(), token.end(), room(token.size()))); }
    void end() { spans_.push_back({from_, size_}); }
    void add(std::string_view token) {
        start();
        put(token);
        end();
    }
    // No more comes; what is asked for may be read a little beyond the end.
    void close() {
        std::memset(room(Terms::BEHIND), 0, Terms::BEHIND);
        prefixes_.resize(size_ + 1);
        uint64_t hash = prefixes_[0] = 0;
        for (size_t i = 0; i < size_; ++i)
            prefixes_[i + 1] = hash = hash * BASE + static_cast<unsigned char>(bytes_[i]) + 1;
    }
    size_t count() const { return spans_.size(); }
    Span last() const { return spans_.back(); }
    Span at(size_t token) const { return spans_[token]; }
    Span over(size_t first, size_t last) const { return {spans_[first].start, spans_[last].end}; }
    std::string_view text(Span span) const { return {bytes_.data() + span.start, span.size()}; }
    uint64_t hash(Span span, const std::vector<uint64_t>& powers) const {
        return prefixes_[span.end] - prefixes_[span.start] * powers[span.size()];
    }

  private:
    LargeVector<char> bytes_;
    std::vector<Span> spans_;
    LargeVector<uint64_t> prefixes_;
    size_t size_ = 0, from_ = 0;
};

// What one thread needs while it reads.
struct Desk {
    explicit Desk(size_t columns) : tally(columns) {}
    Tally tally;
    Text text;
    Line sequence, shapes, extras;
    std::string scratch;
    struct Wanted {
        uint64_t hash;
        std::string_view term;
        size_t likely;
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
    std::vector<Span> raised, numbers;  // words in capitals, and of digits
    std::vector<int32_t> names, figures;
    Held held;
    std::vector<double> sums;
};

}  // namespace noisefilter
