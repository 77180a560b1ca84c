/// Application protocols for ALPN, in order of preference.
///
///     opaque ProtocolName<1..2^8-1>;
///     struct { ProtocolName protocol_name_list<2..2^16-1> } ProtocolNameList;
///
/// RFC 7301 §3.1
struct ApplicationProtocols: Sendable {
    private let names: [[UInt8]]

    /// Omits names without a wire form: empty, or longer than 255 octets.
    init(_ names: [String]) {
        self.names = names.map { Array($0.utf8) }.filter { (1...255).contains($0.count) }
    }

    var isEmpty: Bool { self.names.isEmpty }

    /// The `ProtocolName` list: each name after its length octet.
    var wireFormat: [UInt8] {
        self.names.flatMap { [UInt8(truncatingIfNeeded: $0.count)] + $0 }
    }

    /// Whether a name is in the list.
    func contains(_ name: String) -> Bool {
        self.names.contains { $0.elementsEqual(name.utf8) }
    }

    /// Finds our most preferred name in a client's list.
    /// - Returns: the range of the name in `offered`; nil if no name is common.
    func choose(from offered: UnsafeBufferPointer<UInt8>) -> Range<Int>? {
        let ranges = Self.names(in: offered)
        for name in self.names {
            if let match = ranges.first(where: { offered[$0].elementsEqual(name) }) { return match }
        }
        return nil
    }

    /// The ranges of the names in a list. A wrong length ends the list.
    private static func names(in list: UnsafeBufferPointer<UInt8>) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var position = 0
        while position < list.count {
            let start = position + 1
            let end = start + Int(list[position])
            guard end <= list.count else { break }
            found.append(start..<end)
            position = end
        }
        return found
    }
}
