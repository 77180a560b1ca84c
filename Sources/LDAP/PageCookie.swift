/// The value of a page control in a result (RFC 2696 §2).
///
/// libldap's own decoder ends the process if the control has no value, or an empty one.
enum PageCookie {
    /// The cookie for the next page; empty after the last one.
    ///
    /// ```
    /// realSearchControlValue ::= SEQUENCE {
    ///     size   INTEGER (0..maxInt),
    ///     cookie OCTET STRING
    /// }
    /// ```
    /// - Returns: nil if the value is broken.
    static func decode(_ value: [UInt8]) -> [UInt8]? {
        var value = value[...]
        guard var sequence = self.element(tag: 0x30, of: &value), value.isEmpty,
            self.element(tag: 0x02, of: &sequence) != nil,
            let cookie = self.element(tag: 0x04, of: &sequence), sequence.isEmpty
        else { return nil }
        return Array(cookie)
    }

    /// Takes the content of the first element: a tag of one octet and a definite length
    /// (X.690 §8.1.3).
    private static func element(
        tag: UInt8,
        of octets: inout ArraySlice<UInt8>
    ) -> ArraySlice<UInt8>? {
        guard octets.popFirst() == tag, let first = octets.popFirst() else { return nil }
        var length = Int(first)
        if first >= 0x80 {
            // Four octets are enough for every message that libldap reads.
            let count = Int(first & 0x7F)
            guard (1...4).contains(count), octets.count >= count else { return nil }
            length = octets.prefix(count).reduce(0) { $0 << 8 | Int($1) }
            octets = octets.dropFirst(count)
        }
        guard octets.count >= length else { return nil }
        defer { octets = octets.dropFirst(length) }
        return octets.prefix(length)
    }
}
