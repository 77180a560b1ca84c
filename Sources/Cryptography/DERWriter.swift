/// The few types of DER that public keys and signatures consist of (X.690 §8, §10).
enum DERWriter {
    /// Encodes an `INTEGER` from its magnitude in big-endian octets.
    static func integer(_ magnitude: some Sequence<UInt8>) -> [UInt8] {
        var octets = Array(magnitude.drop { $0 == 0 })
        // The first bit of the contents is the sign.
        if octets.first.map({ $0 >= 0x80 }) ?? true { octets.insert(0, at: 0) }
        return self.element(tag: 0x02, contents: octets)
    }

    /// Encodes a `SEQUENCE`.
    static func sequence(_ elements: [UInt8]...) -> [UInt8] {
        self.element(tag: 0x30, contents: elements.flatMap(\.self))
    }

    /// Encodes a `BIT STRING` of whole octets.
    static func bitString(_ octets: [UInt8]) -> [UInt8] {
        self.element(tag: 0x03, contents: [0] + octets)
    }

    /// Encodes an `OBJECT IDENTIFIER` from its encoded contents.
    static func objectIdentifier(_ contents: [UInt8]) -> [UInt8] {
        self.element(tag: 0x06, contents: contents)
    }

    /// The encoding of `NULL`.
    static let null: [UInt8] = [0x05, 0x00]

    private static func element(tag: UInt8, contents: [UInt8]) -> [UInt8] {
        [tag] + self.length(contents.count) + contents
    }

    /// The definite form of a length (X.690 §8.1.3).
    private static func length(_ count: Int) -> [UInt8] {
        guard count >= 0x80 else { return [UInt8(count)] }
        var octets: [UInt8] = []
        var rest = count
        while rest > 0 {
            octets.insert(UInt8(rest & 0xFF), at: 0)
            rest >>= 8
        }
        return [0x80 | UInt8(octets.count)] + octets
    }
}
