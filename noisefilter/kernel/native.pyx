# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
# distutils: language = c++
"""The compiled scorer: strings in, probabilities out; see the headers beside for what it does."""

from cpython.unicode cimport PyUnicode_DATA, PyUnicode_GET_LENGTH, PyUnicode_KIND, PyUnicode_READ
from libc.math cimport isfinite
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy
from libcpp cimport bool as cbool
from libcpp.memory cimport unique_ptr
from libcpp.string cimport string
from libcpp.utility cimport move, pair
from libcpp.vector cimport vector

from threading import Lock

from noisefilter.kernel.characters import described, found
from noisefilter.text import normalise


cdef extern from "<string_view>" namespace "std" nogil:
    cdef cppclass string_view:
        string_view()
        string_view(const char*, size_t)


cdef extern from "scorer.hpp" namespace "noisefilter" nogil:
    const uint32_t CHARACTERS
    cdef uint8_t SPACE

    cdef cppclass Character:
        uint8_t flags, known, length
        uint16_t lower
        uint16_t[3] becomes

    cdef cppclass Word "noisefilter::Found::Word":
        string word, lower, stem
        uint8_t kind "is"

    cdef cppclass Found:
        vector[Word] words
        vector[string] terms, grams
        string text
        cbool ends, starts_lower, quoted, colon
        double sentences, digits, marks, length

    cdef cppclass Lexicon:
        size_t families, shortest, longest, looked_at, word_columns, columns
        void build(string_view, string_view, const float*, size_t, const float*, size_t, const unsigned char*, size_t,
                   const double*, size_t) except +
        void set_telling(size_t, cbool)
        void tell(string_view, size_t, const vector[string]&, vector[pair[size_t, string]]&) except +

    cdef cppclass Vocabulary:
        void know(string_view, int32_t) except +
        void build(string_view, const double*, size_t, double) except +

    cdef cppclass Curves:
        void build(const double*, const int64_t*, size_t, const double*, size_t, size_t) except +

    cdef cppclass Bins:
        void build(const int32_t*, const double*, const int32_t*, const int32_t*, size_t, const int32_t*, size_t,
                   const double*, size_t, size_t, size_t) except +

    cdef cppclass Look:
        Curves curves
        Bins bins
        double[3] intercept

    cdef cppclass Scorer:
        Lexicon lexicon
        Vocabulary vocabulary
        Look first, second
        vector[uint8_t] class_of_family
        size_t reach
        size_t first_numbers()
        size_t second_numbers()

    cdef cppclass Paragraph:
        size_t words, common
        cbool known

    cdef cppclass Session:
        Session(Scorer&) except +
        void add_plain(vector[uint16_t]) except +
        void add_found(const Found&) except +
        void read(const Character*) except +
        void score(const Character*, const vector[size_t]&, int64_t, double*, double*) except +
        size_t size()
        const Paragraph& paragraph(size_t) except +


cdef string_view _view(bytes text):
    return string_view(<const char*>text, len(text))


cdef string _utf8(str text):
    return <string>text.encode("utf-8", "surrogatepass")


cdef class Kernel:
    """A model's numbers, made ready; see `noisefilter.kernel.Native` for who makes it.

    Parameters
    ----------
    arrays : mapping of str to array
        The numbers of a bundle, as `noisefilter.arrays` hands them out; shapes have been checked.
    terms : mapping of str to bytes
        The term lists of a bundle, one term a line.
    settings : mapping of str to int
        ``shortest``, ``longest``, ``looked_at``, ``most_looked_at``, ``reach``, ``first`` and ``second`` (how many
        numbers each look sees).
    class_of_family : bytes
        The class of each family, by its place.
    stop_words, shapes : sequence of str
    """

    cdef Scorer scorer
    cdef vector[Character] table
    cdef Py_ssize_t most

    def __cinit__(self, arrays, terms, settings, bytes class_of_family not None, stop_words, shapes):
        cdef Lexicon* lexicon = &self.scorer.lexicon
        self.most = settings["most_looked_at"]
        self.table.resize(CHARACTERS)
        for code in range(128):
            self._ask(code)
        lexicon.shortest, lexicon.longest = settings["shortest"], settings["longest"]
        lexicon.looked_at = settings["looked_at"]
        self.scorer.reach = settings["reach"]
        cdef const float[::1] words_idf = arrays["words_idf"].typed("<f4", "f")
        cdef const float[::1] characters_idf = arrays["characters_idf"].typed("<f4", "f")
        cdef const unsigned char[::1] coef = arrays["lexical_coef"].raw("<f2")
        cdef const double[::1] intercept = arrays["lexical_intercept"].typed("<f8", "d")
        cdef const double[::1] stems_idf = arrays["stems_idf"].typed("<f8", "d")
        cdef bytes words = terms["words"], characters = terms["characters"], stems = terms["stems"]
        for name, array in arrays.items():
            if name != "lexical_coef":
                _finite(name, array)
        if len(class_of_family) != intercept.shape[0]:
            raise ValueError("the families do not match their weights")
        lexicon.build(
            _view(words), _view(characters), _start(words_idf), words_idf.shape[0], _start(characters_idf),
            characters_idf.shape[0],
            &coef[0] if coef.shape[0] else NULL, coef.shape[0], &intercept[0], intercept.shape[0],
        )
        self._tell(words, 0, [shape.encode() for shape in shapes])
        self._tell(characters, lexicon.word_columns, [])
        self.scorer.vocabulary.build(
            _view(stems), &stems_idf[0] if stems_idf.shape[0] else NULL, stems_idf.shape[0],
            arrays["unseen_idf"].typed("<f8", "d")[0],
        )
        for word in stop_words:
            utf8 = word.encode()
            self.scorer.vocabulary.know(_view(utf8), 1)
        common = terms["common"].split(b"\n")
        common.pop()
        for word in common:
            self.scorer.vocabulary.know(_view(word), 2)
        self.scorer.class_of_family = class_of_family
        if (self.scorer.first_numbers(), self.scorer.second_numbers()) != (settings["first"], settings["second"]):
            raise RuntimeError("the kernel was built for other features")
        _look(arrays, "first", &self.scorer.first, settings["first"])
        _look(arrays, "second", &self.scorer.second, settings["second"])

    def read(self, list texts not None):
        """Read the paragraphs of one article."""
        return Reading(self, texts)

    cdef void _tell(self, bytes terms, size_t start, list shapes) except *:
        cdef vector[pair[size_t, string]] asked
        cdef vector[string] fronts = shapes
        cdef size_t i
        self.scorer.lexicon.tell(_view(terms), start, fronts, asked)
        for i in range(asked.size()):
            letters = sum(map(str.isalpha, (<bytes>asked[i].second).decode()))
            self.scorer.lexicon.set_telling(asked[i].first, letters >= 2)

    cdef void _ask(self, uint32_t code) except *:
        """Learn from Python what a character is.

        Python may let another thread go first, which asks the same. Only the first to hear writes, and what a character
        becomes is there before it: who has seen that a character is known reads without the GIL what never changes.
        """
        cdef Character entry
        description = described(chr(code))
        entry.known = 2
        if description is not None:
            entry.flags, entry.lower, becomes = description
            entry.known = 1
            entry.length = len(becomes)
            for at in range(len(becomes)):
                entry.becomes[at] = ord(becomes[at])
                if becomes[at] != chr(code) and self.table[ord(becomes[at])].known == 0:
                    self._ask(ord(becomes[at]))
        if self.table[code].known == 0:
            self.table[code] = entry

    cdef bint _normalised(self, str text, bint done, vector[uint16_t]& normal) except -1:
        """Normalise a text as `noisefilter.text` does, unless that is done; false if not all of it is plain."""
        cdef Py_ssize_t size = min(PyUnicode_GET_LENGTH(text), self.most), i
        cdef int kind = PyUnicode_KIND(text)
        cdef void* data = PyUnicode_DATA(text)
        cdef uint32_t code
        cdef const Character* entry
        cdef int n
        cdef bint blank = False
        normal.clear()
        normal.reserve(size + 8)
        for i in range(size):
            code = PyUnicode_READ(kind, data, i)
            if code >= CHARACTERS:
                return False
            if self.table[code].known == 0:
                self._ask(code)
            entry = &self.table[code]
            if entry.known == 2 or (done and (entry.length != 1 or entry.becomes[0] != code)):
                return False
            for n in range(entry.length):
                if self.table[entry.becomes[n]].flags & SPACE:
                    if not blank:
                        normal.push_back(32)
                    blank = True
                else:
                    normal.push_back(entry.becomes[n])
                    blank = False
        if normal.size() > <size_t>self.most:
            normal.resize(self.most)
        while normal.size() and normal.back() == 32:
            normal.pop_back()
        if normal.size() and normal[0] == 32:
            normal.erase(normal.begin())
        return True

    cdef void _add(self, Session* session, str text, bint terms) except *:
        cdef vector[uint16_t] normal
        if text is None:
            raise TypeError("a paragraph is a string, not None")
        if self._normalised(text, False, normal):
            session.add_plain(move(normal))
            return
        text = normalise(text)
        if self._normalised(text, True, normal):  # what was strange has gone
            session.add_plain(move(normal))
            return
        parts = found(text, self.scorer.lexicon.shortest, self.scorer.lexicon.longest, terms)
        cdef Found cut
        cdef Word one
        for word, stem, kind in parts.words:
            one.word, one.lower, one.stem, one.kind = _utf8(word), _utf8(word.lower()), _utf8(stem), kind
            cut.words.push_back(one)
        for term in parts.terms:
            cut.terms.push_back(_utf8(term))
        for gram in parts.grams:
            cut.grams.push_back(_utf8(gram))
        cut.text = _utf8(text)
        cut.ends, cut.starts_lower, cut.quoted, cut.colon = parts.ends, parts.starts_lower, parts.quoted, parts.colon
        cut.sentences, cut.digits, cut.marks, cut.length = parts.sentences, parts.digits, parts.marks, len(text)
        session.add_found(cut)


cdef const float* _start(const float[::1] numbers):
    return &numbers[0] if numbers.shape[0] else NULL


cdef void _finite(str name, array) except *:
    cdef const unsigned char[::1] numbers = array.raw(array.kind)
    cdef Py_ssize_t at
    cdef double number
    cdef float single
    cdef bint fine = True
    if array.kind == "<f8":
        for at in range(numbers.shape[0] // <Py_ssize_t>sizeof(number)):
            memcpy(&number, &numbers[at * <Py_ssize_t>sizeof(number)], sizeof(number))
            fine &= isfinite(number)
    elif array.kind == "<f4":
        for at in range(numbers.shape[0] // <Py_ssize_t>sizeof(single)):
            memcpy(&single, &numbers[at * <Py_ssize_t>sizeof(single)], sizeof(single))
            fine &= isfinite(single)
    if not fine:
        raise ValueError(f"{name} is not finite")


cdef void _look(arrays, str name, Look* look, size_t numbers) except *:
    cdef const double[::1] knots = arrays[f"{name}_knots"].typed("<f8", "d")
    cdef const int64_t[::1] counts = arrays[f"{name}_knot_counts"].typed("<i8", "q")
    cdef const double[::1] coef = arrays[f"{name}_coef"].typed("<f8", "d")
    cdef const double[::1] intercept = arrays[f"{name}_intercept"].typed("<f8", "d")
    cdef size_t columns = coef.shape[0] // 3
    cdef size_t hats = knots.shape[0]
    cdef const int32_t[::1] feature, left, right, roots
    cdef const double[::1] border
    cdef size_t nodes
    if counts.shape[0] != <Py_ssize_t>numbers or intercept.shape[0] != 3 or coef.shape[0] % 3 or hats > columns:
        raise ValueError(f"the numbers of the {name} look do not match")
    for c in range(3):
        look.intercept[c] = intercept[c]
    look.curves.build(&knots[0], &counts[0], numbers, &coef[0], columns, hats)
    if f"{name}_bins_average" not in arrays:
        if hats != columns:
            raise ValueError(f"the numbers of the {name} look do not match")
        return
    feature, left, right, roots = [
        arrays[f"{name}_bins_{part}"].typed("<i4", "i") for part in ("feature", "left", "right", "roots")
    ]
    border = arrays[f"{name}_bins_border"].typed("<f8", "d")
    nodes = feature.shape[0]
    if not feature.shape[0] == left.shape[0] == right.shape[0] == border.shape[0] or not nodes or not roots.shape[0]:
        raise ValueError("the bins are not trees over the columns")
    look.bins.build(
        &feature[0], &border[0], &left[0], &right[0], nodes, &roots[0], roots.shape[0], &coef[0], columns, hats, numbers
    )


cdef class Reading:
    """The paragraphs of one article, read once, however often they are scored."""

    cdef Kernel kernel
    cdef unique_ptr[Session] session
    cdef readonly list known, counts
    cdef object lock

    def __cinit__(self, Kernel kernel not None, list texts not None):
        self.kernel = kernel
        self.lock = Lock()
        self.session.reset(new Session(kernel.scorer))
        cdef Session* session = self.session.get()
        for text in texts:
            kernel._add(session, text, True)
        cdef const Character* table = kernel.table.data()
        with nogil:
            session.read(table)
        cdef size_t i
        self.known = [session.paragraph(i).known for i in range(session.size())]
        self.counts = [(session.paragraph(i).words, session.paragraph(i).common) for i in range(session.size())]

    def score(self, alive, str title not None, Py_ssize_t title_at, bint seen=False):
        """Return the probabilities of the paragraphs of these indices as an article of its own.

        Parameters
        ----------
        alive : sequence of int
        title : str
            What of the title is headline; empty if there is none.
        title_at : int
            Which of `alive` is the title, or -1.
        seen : bool
            Return what the second look sees instead.

        Returns
        -------
        list of tuple of float
        """
        cdef vector[size_t] indices = alive
        cdef size_t count = indices.size(), width = 3, i
        cdef vector[double] shares, numbers
        cdef Session* session = self.session.get()
        cdef const Character* table = self.kernel.table.data()
        cdef double* where = NULL
        shares.resize(3 * count)
        if seen:
            numbers.resize(self.kernel.scorer.second_numbers() * count)
            where = numbers.data()
        with self.lock:
            self.kernel._add(session, title, False)
            with nogil:
                session.score(table, indices, title_at, shares.data(), where)
        if seen:
            width = self.kernel.scorer.second_numbers()
            return [tuple([numbers[i * width + n] for n in range(width)]) for i in range(count)]
        return [(shares[3 * i], shares[3 * i + 1], shares[3 * i + 2]) for i in range(count)]
