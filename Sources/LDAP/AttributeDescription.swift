/// The description of an attribute in an entry (RFC 4512 §2.5), such as `member;range=0-1499`.
struct AttributeDescription: Equatable {
    /// A part of the values, as Active Directory sends an attribute with many of them.
    struct Part: Equatable {
        /// The index of the first value.
        var first: Int
        /// The index of the last value; nil if it is the last of all.
        var last: Int?
    }

    /// The type with the options other than a range, in lower case.
    var name: String
    /// Nil if the values are all of them.
    var part: Part?

    /// - Returns: nil for a range that is none: its values would look like all of them.
    init?(_ octets: [UInt8]) {
        var options: [String] = []
        let text = String(decoding: octets, as: UTF8.self).lowercased()
        for option in text.split(separator: ";", omittingEmptySubsequences: false) {
            guard option.hasPrefix(Self.rangePrefix) else {
                options.append(String(option))
                continue
            }
            guard self.part == nil, let part = Self.part(option) else { return nil }
            self.part = part
        }
        self.name = options.joined(separator: ";")
    }

    /// Far above the number of values that a result may have, and far below an overflow.
    private static let maximumIndex = 1 << 31
    private static let rangePrefix = "range="

    /// ```
    /// "range=" first "-" (last / "*")
    /// ```
    private static func part(_ option: Substring) -> Part? {
        let bounds = option.dropFirst(self.rangePrefix.count).split(
            separator: "-",
            omittingEmptySubsequences: false
        )
        guard bounds.count == 2, let first = self.index(bounds[0]) else { return nil }
        if bounds[1] == "*" { return Part(first: first, last: nil) }
        guard let last = self.index(bounds[1]), last >= first else { return nil }
        return Part(first: first, last: last)
    }

    private static func index(_ digits: Substring) -> Int? {
        guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let index = Int(digits), index < Self.maximumIndex
        else { return nil }
        return index
    }
}

/// The attributes that a search asks for. Others in its result are dropped.
struct RequestedAttributes {
    private let names: Set<String>
    private let isUnlimited: Bool

    init(_ names: [String]) {
        self.names = Set(
            names.compactMap { AttributeDescription(Array($0.utf8))?.name }
        )
        self.isUnlimited = self.names.contains("*") || self.names.contains("+")
    }

    /// - Parameter name: a type with options, in lower case.
    func contain(_ name: String) -> Bool {
        self.isUnlimited || self.names.contains(name)
    }
}
