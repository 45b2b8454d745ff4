// From terms to their columns: of words, and of n-grams of characters. A hash finds the place, the term itself decides.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tables.hpp"

namespace noisefilter {

constexpr size_t AHEAD = 16;  // keys that are fetched before their turn while a table is filled

// A table of slots, two to a line of the cache. Whether a key is there cannot be foreseen, so both are looked at
// without a jump between; and what is wanted is fetched before, many keys at once. Most keys that are not there are
// found out by a bit (Bloom, *Space/Time Trade-offs in Hash Coding with Allowable Errors*, CACM 1970, with one hash):
// the bits stay in the cache, which the slots do not.
template <class Slot>
class Pairs {
  public:
    explicit Pairs(size_t count = 0) : slots_(slots_for(count), Slot{}), bits_(slots_.size() * BITS / 64) {}

    // False if no key of this hash was placed.
    bool may_hold(uint64_t hash) const { return bits_[bit_of(hash) / 64] >> (bit_of(hash) % 64) & 1; }

    // Where a key of this hash may stand, which is fetched.
    size_t likely(uint64_t hash) const {
        const size_t at = hash & (slots_.size() - 2);
        NOISEFILTER_PREFETCH(&slots_[at]);
        return at;
    }

    // The slot of a key; a free one if there is none.
    template <class Key>
    const Slot& find(const Key& key, size_t likely) const {
        for (;; likely = next(likely)) {
            const Slot* pair = &slots_[likely];
            const Slot* found = pair[1].holds(key) ? pair + 1 : &free_;
            found = pair[0].holds(key) ? pair : found;
            if (!pair->spilt || !found->free()) return *found;
        }
    }

    // The slot of a key that was placed.
    template <class Key>
    Slot& at(const Key& key, uint64_t hash) {
        return slots_[static_cast<size_t>(&find(key, likely(hash)) - slots_.data())];
    }

    // A free slot for a new key.
    template <class Key>
    Slot& place(const Key& key, uint64_t hash) {
        bits_[bit_of(hash) / 64] |= uint64_t{1} << (bit_of(hash) % 64);
        size_t likely = this->likely(hash);
        for (size_t step = 0; step < MOST_STEPS; ++step, likely = next(likely)) {
            for (Slot* slot = &slots_[likely]; slot != &slots_[likely] + 2; ++slot) {
                if (slot->holds(key)) throw std::invalid_argument("a term is listed twice");
                if (slot->free()) return *slot;
            }
            slots_[likely].spilt = 1;
        }
        throw std::invalid_argument("the terms were chosen so that their hashes collide");
    }

  private:
    static constexpr size_t BITS = 4;  // for each slot
    static constexpr size_t MOST_STEPS = 1000;

    size_t next(size_t at) const { return (at + 2) & (slots_.size() - 1); }
    size_t bit_of(uint64_t hash) const { return hash >> 40 & (slots_.size() * BITS - 1); }

    Slot free_{};
    LargeVector<Slot> slots_;
    std::vector<uint64_t> bits_;
};

// Strings of any length.
class Terms {
  public:
    static constexpr size_t BEHIND = 24;  // bytes that must be readable behind the start of what is looked for

    explicit Terms(std::string_view list = {}) : bytes_(list), size_(lines_of(list)), pairs_(size_) {
        bytes_.append(BEHIND, '\0');
        std::vector<uint64_t> hashes;
        hashes.reserve(size_ + AHEAD);
        each_line(list, [&](std::string_view term, int32_t) { hashes.push_back(mixed(hashed(term))); });
        hashes.resize(size_ + AHEAD);
        each_line(std::string_view(bytes_).substr(0, list.size()), [&](std::string_view term, int32_t column) {
            const uint64_t* hash = &hashes[static_cast<size_t>(column)];
            pairs_.likely(hash[AHEAD]);
            const Key key(*hash, term, bytes_.data());
            Slot& slot = pairs_.place(key, key.hash);
            slot.tag = key.tag;
            slot.size = key.size;
            slot.column = column;
            if (key.size != LONG) {
                std::memcpy(slot.text, key.start, sizeof slot.text);
            } else {
                slot.text[0] = static_cast<uint64_t>(term.data() - bytes_.data());
                slot.text[1] = term.size();
            }
            longest_ = std::max(longest_, term.size());
        });
    }

    size_t size() const { return size_; }
    size_t longest() const { return longest_; }

    // The column of a term, NONE if it is none.
    int32_t find(std::string_view term) const {
        const std::string copy = std::string(term) + std::string(BEHIND, '\0');
        const Key key(std::string_view(copy).substr(0, term.size()), bytes_.data());
        return pairs_.find(key, pairs_.likely(key.hash)).column;
    }

    // In steps for many terms at once, their hashes known.
    bool may_hold(uint64_t hash) const { return pairs_.may_hold(hash); }
    size_t likely(uint64_t hash) const { return pairs_.likely(hash); }
    int32_t find(uint64_t hash, std::string_view term, size_t likely) const {
        return pairs_.find(Key(hash, term, bytes_.data()), likely).column;
    }

  private:
    static constexpr uint8_t LONG = 255;  // longer than a slot, which then tells where the bytes are

    struct Key {
        uint64_t hash, start[3] = {};
        std::string_view text;
        const char* bytes;
        uint16_t tag;
        uint8_t size;

        Key(std::string_view term, const char* all) : Key(mixed(hashed(term)), term, all) {}
        Key(uint64_t its_hash, std::string_view term, const char* all)
            : hash(its_hash), text(term), bytes(all), tag(static_cast<uint16_t>(hash >> 48)),
              size(term.size() > sizeof start ? LONG : static_cast<uint8_t>(term.size())) {
            static constexpr unsigned char KEPT[2 * sizeof start] = {  // from some place on as many as are kept, and 0
                255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
            if (size == LONG) return;
            uint64_t kept[3];
            std::memcpy(start, term.data(), sizeof start);
            std::memcpy(kept, KEPT + sizeof start - size, sizeof kept);
            for (size_t n = 0; n < 3; ++n) start[n] &= kept[n];
        }
    };

    struct Slot {
        uint16_t tag = 0;
        uint8_t size = 0, spilt = 0;
        int32_t column = NONE;
        uint64_t text[3] = {};

        bool free() const { return column == NONE; }
        bool holds(const Key& key) const {
            const bool same = (tag == key.tag) & (size == key.size) & !free();
            if (key.size == LONG)
                return same && text[1] == key.text.size() &&
                       std::memcmp(key.bytes + text[0], key.text.data(), key.text.size()) == 0;
            return same & (((text[0] ^ key.start[0]) | (text[1] ^ key.start[1]) | (text[2] ^ key.start[2])) == 0);
        }
    };

    std::string bytes_;
    size_t size_ = 0, longest_ = 0;
    Pairs<Slot> pairs_;
};

// N-grams of characters, each with the columns of the terms that it begins with: one place tells the first few.
class Grams {
  public:
    static constexpr size_t MOST_COLUMNS = 4;

    struct Slot {
        uint64_t low = 0;
        uint32_t high = 0;
        int32_t columns[MOST_COLUMNS] = {};  // its own, and those of the shorter terms, the longest first
        uint8_t count = 0, spilt = 0;
        uint16_t rest = 0;  // characters of the term at whose slot more columns are found

        bool free() const { return count == 0; }
        bool holds(const Packed& key) const { return (low == key.low) & (high == key.high) & !free(); }
    };

    void build(std::string_view list, size_t start, size_t shortest) {
        pairs_ = Pairs<Slot>(lines_of(list));
        struct Gram {
            Packed key;
            size_t size;
            int32_t column;
        };
        std::vector<Gram> grams;
        grams.reserve(lines_of(list) + AHEAD);
        each_line(list, [&](std::string_view term, int32_t line) {
            Gram gram{{}, 0, static_cast<int32_t>(start) + line};
            if (pack(term, gram.key, gram.size)) grams.push_back(gram);
            else if (!odd_.emplace(term, gram.column).second) throw std::invalid_argument("a term is listed twice");
        });
        const size_t count = grams.size();
        grams.resize(count + AHEAD);
        for (size_t n = 0; n < count; ++n) {
            likely(grams[n + AHEAD].key);
            const Packed& key = grams[n].key;
            Slot& slot = pairs_.place(key, key.hash());
            slot.low = key.low;
            slot.high = key.high;
            slot.columns[0] = grams[n].column;
            slot.count = 1;
        }
        for (size_t n = 0; n < count; ++n) {
            likely(grams[n + AHEAD].key);
            Packed key = grams[n].key;
            Slot& slot = pairs_.at(key, key.hash());
            for (size_t size = grams[n].size; size-- > shortest;) {
                key.cut(size);
                const Slot& shorter = find(key, likely(key));
                if (shorter.free()) continue;
                if (slot.count == MOST_COLUMNS) {
                    slot.rest = static_cast<uint16_t>(size);
                    break;
                }
                slot.columns[slot.count++] = shorter.columns[0];
            }
        }
    }

    // In steps for many keys at once.
    bool may_hold(const Packed& key) const { return pairs_.may_hold(key.hash()); }
    size_t likely(const Packed& key) const { return pairs_.likely(key.hash()); }
    const Slot& find(const Packed& key, size_t likely) const { return pairs_.find(key, likely); }

    // The column of one term, NONE if it is none.
    int32_t find(std::string_view term) const {
        Packed key;
        if (pack(term, key)) {
            const Slot& slot = find(key, likely(key));
            return slot.free() ? NONE : slot.columns[0];
        }
        const auto found = odd_.find(std::string(term));
        return found == odd_.end() ? NONE : found->second;
    }

  private:
    Pairs<Slot> pairs_;
    std::unordered_map<std::string, int32_t> odd_;  // what cannot be packed
};

}  // namespace noisefilter
