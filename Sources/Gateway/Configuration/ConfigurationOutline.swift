/// The keys of a configuration file with their lines.
///
/// The library that reads the values finds a key only if it is asked for it, so it cannot say which
/// other keys a file has. This reader finds all of them. It knows the part of YAML 1.2 that a
/// configuration needs: block mappings, lists, texts in one line, and flow collections. It refuses
/// everything else, such as anchors, aliases, tags, texts of several lines, and a second document:
/// what it cannot read, it cannot check.
struct ConfigurationOutline {
    typealias Entry = ConfigurationScanner.Entry
    typealias Problem = ConfigurationScanner.Problem

    /// The keys in the order of the file.
    private(set) var entries: [Entry] = []
    /// The keys whose mappings contain the current line, with their indentation.
    private var groups: [(path: String, indent: Int)] = []
    /// The path of the last key without a value in its line, which the next lines may have.
    private var open: (entry: Int, indent: Int)?

    /// Finds the keys of a file that is valid YAML.
    /// - Throws: ``Problem`` for the first line that this reader does not know.
    init(_ text: String) throws(Problem) {
        // YAML 1.1 ends a line at these, YAML 1.2 does not.
        let others: [Unicode.Scalar] = ["\u{85}", "\u{2028}", "\u{2029}"]
        if let place = text.unicodeScalars.firstIndex(where: others.contains) {
            let before = text.unicodeScalars[..<place].count { $0 == "\n" }
            throw Problem(line: before + 1, reason: "end lines with LF or CR LF")
        }
        var scanner = ConfigurationScanner(text)
        while let line = scanner.nextLine() {
            try self.read(line, scanner: &scanner)
        }
    }

    /// One line that is neither empty nor a comment.
    private mutating func read(
        _ line: ConfigurationScanner.Line,
        scanner: inout ConfigurationScanner
    ) throws(Problem) {
        if line.isItem {
            // A list may be indented as its key is.
            guard let open = self.open, line.indent >= open.indent else {
                throw Problem(line: line.number, reason: "a list needs a key before it")
            }
            self.entries[open.entry].shape = .list
            _ = try scanner.item(line)
            return
        }
        guard let key = scanner.key() else {
            throw Problem(line: line.number, reason: "KEY: VALUE in one line is needed here")
        }
        try self.enter(line)
        let path = (self.groups.last.map { "\($0.path)." } ?? "") + key
        try self.add(Entry(path: path, line: line.number, shape: nil))
        let value = try scanner.value(below: path)
        self.entries[self.entries.count - 1].shape = value.shape
        for entry in value.entries { try self.add(entry) }
        self.open = value.shape == nil ? (self.entries.count - 1, line.indent) : nil
        self.indent = line.indent
    }

    /// The indentation of the last key.
    private var indent = 0

    /// Finds the mapping that a key's line belongs to.
    private mutating func enter(_ line: ConfigurationScanner.Line) throws(Problem) {
        guard !self.entries.isEmpty else {
            guard line.indent == 0 else {
                throw Problem(line: line.number, reason: "the first key must not be indented")
            }
            return
        }
        if line.indent > self.indent {
            guard let open = self.open, self.entries[open.entry].shape == nil else {
                throw Problem(line: line.number, reason: "this key is indented without a group")
            }
            self.entries[open.entry].shape = .group
            self.groups.append((self.entries[open.entry].path, line.indent))
            return
        }
        while let group = self.groups.last, group.indent > line.indent { self.groups.removeLast() }
        guard line.indent == self.groups.last?.indent ?? 0 else {
            throw Problem(line: line.number, reason: "the indentation matches no key above")
        }
    }

    /// - Throws: ``Problem`` for a key that the file has already.
    private mutating func add(_ entry: Entry) throws(Problem) {
        if let first = self.entries.first(where: { $0.path == entry.path }) {
            throw Problem(
                line: entry.line,
                reason: "this key is in line \(first.line) already: remove one of them"
            )
        }
        self.entries.append(entry)
    }
}

extension ConfigurationScanner.Entry {
    /// Why the key must not be there, or not with this value; nil for nothing.
    var problem: String? {
        guard let key = ConfigurationKey.all.first(where: { $0.path == self.path }) else {
            return "unknown key \(self.path.prefix(Self.maximumShown)): the nearest key is "
                + ConfigurationKey.nearest(to: String(self.path.prefix(Self.maximumShown)))
        }
        // A key without a value is an empty text, or a group without keys.
        guard self.shape != key.shape, self.shape != nil || key.shape == .list else { return nil }
        let allowed =
            switch key.shape {
            case .scalar: "one value is needed, not a list or a group"
            case .list: "a list is needed, for example [\"a\", \"b\"]"
            case .group: "it is a group: indent its keys below it"
            }
        return "\(key.path): \(allowed)"
    }

    /// Characters of an unknown key in an error message.
    private static let maximumShown = 64
}
