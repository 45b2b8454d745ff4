// What tables are made of: memory, hashes, short strings as keys. A key decides, not its hash: no collision can change
// an answer.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace noisefilter {

#if defined(__GNUC__)
#define NOISEFILTER_PREFETCH(place) __builtin_prefetch(place)
#else
#define NOISEFILTER_PREFETCH(place) (void)(place)
#endif

// Where compiler and loader (glibc) can, a second version for wider registers; contraction is off, so the sums are the
// same. The sanitized build has none of this, so the plain versions are tested, too.
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__) && \
    !defined(__SANITIZE_ADDRESS__)
#define NOISEFILTER_WIDER __attribute__((target_clones("avx2", "default")))
#else
#define NOISEFILTER_WIDER
#endif

// Where one version of a function may be for newer processors, chosen when the program runs.
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 11 && defined(__x86_64__) && defined(__linux__) && \
    !defined(__SANITIZE_ADDRESS__)
#define NOISEFILTER_BY_PROCESSOR
#endif

// Where the compiler has types for vectors; others find the vectors in loops, or do not.
#if defined(__clang__) || (defined(__GNUC__) && __GNUC__ >= 9)
#define NOISEFILTER_VECTORS
#endif

constexpr int32_t NONE = -1;

// Large tables are read all over: on Linux they ask for large pages, so that looking up a page costs less.
template <class T>
struct Large {
    using value_type = T;
    Large() = default;
    template <class Other>
    Large(const Large<Other>&) {}
    bool operator==(const Large&) const { return true; }
    template <class U>
    void construct(U* place) { ::new (static_cast<void*>(place)) U; }  // not set to zero first: it will be written over
    bool operator!=(const Large&) const { return false; }

#if defined(__linux__)
    static constexpr size_t PAGE = size_t{2} << 20;
    T* allocate(size_t count) {
        if (count > (SIZE_MAX - PAGE) / sizeof(T)) throw std::bad_alloc();
        const bool large = count * sizeof(T) >= PAGE;
        const size_t align = large ? PAGE : alignof(std::max_align_t);
        const size_t size = (count * sizeof(T) + align - 1) / align * align;
        void* place = std::aligned_alloc(align, size);
        if (place == nullptr) throw std::bad_alloc();
        if (large) madvise(place, size, MADV_HUGEPAGE);
        return static_cast<T*>(place);
    }
    void deallocate(T* place, size_t) { std::free(place); }
#else
    T* allocate(size_t count) { return std::allocator<T>().allocate(count); }
    void deallocate(T* place, size_t count) { std::allocator<T>().deallocate(place, count); }
#endif
};

template <class T>
using LargeVector = std::vector<T, Large<T>>;

inline uint64_t mixed(uint64_t hash) {
    hash ^= hash >> 32;
    hash *= 0x9e3779b97f4a7c15u;
    return hash ^ (hash >> 29);
}

// The place of the lowest bit that is set; there is one.
inline size_t lowest(uint64_t word) {
#if defined(__GNUC__)
    return static_cast<size_t>(__builtin_ctzll(word));
#else
    size_t at = 0;
    while (!(word >> at & 1)) ++at;
    return at;
#endif
}

inline size_t slots_for(size_t count) {
    size_t slots = 16;
    while (slots < 2 * count + 2) slots *= 2;
    return slots;
}

// A polynomial hash: that of a stretch of text follows from those of its prefixes.
constexpr uint64_t BASE = 0x100000001b3u;

inline uint64_t hashed(std::string_view text) {
    uint64_t hash = 0;
    for (unsigned char byte : text) hash = hash * BASE + byte + 1;
    return hash;
}

inline size_t lines_of(std::string_view list) {
    return static_cast<size_t>(std::count(list.begin(), list.end(), '\n'));
}

// Calls `take(line, number)` for each line of a list that ends every term with a line feed.
template <class Take>
void each_line(std::string_view list, Take take) {
    int32_t number = 0;
    for (size_t start = 0; start < list.size(); ++number) {
        const size_t end = list.find('\n', start);
        if (end == std::string_view::npos) return;
        take(list.substr(start, end - start), number);
        start = end + 1;
    }
}

// Up to six characters of the basic plane, packed into one key: the key is the string.
struct Packed {
    uint64_t low = 0;
    uint32_t high = 0;

    bool operator==(const Packed& other) const { return low == other.low && high == other.high; }
    void put(size_t at, uint32_t character) {  // one is added: a NUL is a character, too
        if (at < 4) low |= static_cast<uint64_t>(character + 1) << (16 * at);
        else high |= (character + 1) << (16 * (at - 4));
    }
    void shift() {  // without its first character
        low = low >> 16 | static_cast<uint64_t>(high) << 48;
        high >>= 16;
    }
    void cut(size_t at) {  // to its first `at` characters
        const uint64_t kept = (uint64_t{1} << (16 * (at % 4))) - 1;
        low = at < 4 ? low & kept : low;
        high = at < 4 ? 0 : high & static_cast<uint32_t>(kept);
    }
    uint64_t hash() const { return mixed(low * 0xd6e8feb86659fd93u + high * 0xa0761d6478bd642fu); }
};

constexpr size_t PACKED_MOST = 6;
constexpr uint32_t PACKED_BELOW = 0xffff;

// Decodes valid UTF-8 at `at`, and moves on.
inline uint32_t decoded(std::string_view text, size_t& at) {
    const unsigned char first = text[at++];
    if (first < 0x80) return first;
    const int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    uint32_t character = first & (0x3f >> more);
    for (int n = 0; n < more && at < text.size(); ++n) character = character << 6 | (text[at++] & 0x3f);
    return character;
}

constexpr size_t LONGEST_CHARACTER = 3;

// Writes a character of the basic plane in UTF-8; returns where it ends.
inline char* encode(uint32_t character, char* to) {
    if (character < 0x80) {
        *to++ = static_cast<char>(character);
    } else if (character < 0x800) {
        *to++ = static_cast<char>(0xc0 | character >> 6);
        *to++ = static_cast<char>(0x80 | (character & 0x3f));
    } else {
        *to++ = static_cast<char>(0xe0 | character >> 12);
        *to++ = static_cast<char>(0x80 | (character >> 6 & 0x3f));
        *to++ = static_cast<char>(0x80 | (character & 0x3f));
    }
    return to;
}

inline void encode(uint32_t character, std::string& to) {
    char encoded[LONGEST_CHARACTER];
    to.append(encoded, encode(character, encoded));
}

// Whether a string can be packed; `packed` then is its key, and `size` its characters.
inline bool pack(std::string_view text, Packed& packed, size_t& size) {
    size = 0;
    for (size_t at = 0; at < text.size(); ++size) {
        const uint32_t character = decoded(text, at);
        if (size == PACKED_MOST || character >= PACKED_BELOW) return false;
        packed.put(size, character);
    }
    return true;
}

inline bool pack(std::string_view text, Packed& packed) {
    size_t size;
    return pack(text, packed, size);
}

// What stands for no number where there may be one.
inline bool is_none(int32_t number) { return number == NONE; }
inline bool is_none(double number) { return std::isnan(number); }
template <class Number>
constexpr Number none() {
    return std::is_integral<Number>::value ? static_cast<Number>(NONE) : std::numeric_limits<Number>::quiet_NaN();
}

// Short strings to numbers; what cannot be packed has a slower table beside.
template <class Number>
class Shorts {
  public:
    explicit Shorts(size_t count = 0) { reserve(count); }

    void reserve(size_t count) { slots_.assign(slots_for(count), Slot{0, 0, none<Number>()}); }  // of an empty table

    void put(std::string_view term, Number value) {
        Packed key;
        if (pack(term, key)) place(key) = value;
        else odd_[std::string(term)] = value;
    }

    Number find(const Packed& key) const { return slots_[slot_of(key)].value; }
    Number find(std::string_view term) const {
        Packed key;
        if (pack(term, key)) return find(key);
        const auto found = odd_.find(std::string(term));
        return found == odd_.end() ? none<Number>() : found->second;
    }

    // Where a key may stand is fetched.
    void fetch(const Packed& key) const { NOISEFILTER_PREFETCH(&slots_[key.hash() & (slots_.size() - 1)]); }

    // The value of a key, none at first; the reference holds until the next call.
    Number& place(const Packed& key) {
        if (2 * (used_ + 1) > slots_.size()) grow();
        Slot& slot = slots_[slot_of(key)];
        if (is_none(slot.value)) {
            slot = Slot{key.low, key.high, none<Number>()};
            ++used_;
        }
        return slot.value;
    }
    Number& place(std::string_view term) {
        Packed key;
        if (pack(term, key)) return place(key);
        return odd_.emplace(std::string(term), none<Number>()).first->second;
    }

  private:
    struct Slot {
        uint64_t low;
        uint32_t high;
        Number value;
    };

    size_t slot_of(const Packed& key) const {
        const size_t mask = slots_.size() - 1;
        for (size_t at = key.hash() & mask;; at = (at + 1) & mask) {
            const Slot& slot = slots_[at];
            if (is_none(slot.value) || (slot.low == key.low && slot.high == key.high)) return at;
        }
    }

    void grow() {
        LargeVector<Slot> old;
        old.swap(slots_);
        slots_.assign(2 * old.size(), Slot{0, 0, none<Number>()});
        for (const Slot& slot : old)
            if (!is_none(slot.value)) slots_[slot_of(Packed{slot.low, slot.high})] = slot;
    }

    LargeVector<Slot> slots_;
    size_t used_ = 0;
    std::unordered_map<std::string, Number> odd_;
};

}  // namespace noisefilter
