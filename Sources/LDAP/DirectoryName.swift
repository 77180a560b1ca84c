import CLDAP
import Foundation

/// Distinguished names (RFC 4514).
package enum DirectoryName {
    /// The most octets of a name to compare: a directory could send names of megabytes.
    private static let maximumOctets = 16 * 1_024

    /// The escaped form of an attribute value. It is one value in every position of a name.
    ///
    /// ```
    /// pair = ESC ( ESC / special / hexpair )
    /// ```
    /// Always a `hexpair`: a space and a `#` at the start, and a space at the end, too. Every octet
    /// outside printable US-ASCII is escaped, so that octets that are no UTF-8 keep their value.
    package static func escaped(_ octets: some Sequence<UInt8>) -> String {
        let octets = Array(octets)
        // A space within a value needs no escape, but a template might put it at an end.
        let hasOuterSpace = octets.first == 0x20 || octets.last == 0x20
        return HexEscape.escaped(octets) { octet in
            switch octet {
            case UInt8(ascii: "\""), UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: ";"),
                UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\\"), UInt8(ascii: "="),
                UInt8(ascii: "#"):
                true
            case 0x20:
                hasOuterSpace
            default:
                false
            }
        }
    }

    /// Whether two texts are the same name. The case of attribute types and values and the order
    /// within a relative name do not matter. A text that is no name equals none.
    package static func areEqual(_ first: String, and second: String) -> Bool {
        guard let first = self.normalized(first) else { return false }
        return first == self.normalized(second)
    }

    /// The name in a form that is the same for equal names.
    ///
    /// Attribute types are compared as they are spelled: `cn` and `2.5.4.3` differ. So do values
    /// with a different number of spaces within.
    /// - Returns: nil if the text is no name.
    package static func normalized(_ name: String) -> String? {
        self.parts(of: name).map { self.normalized($0) }
    }

    /// The deepest superior of two entries, or one of them if the other is below it; normalized.
    /// - Returns: nil if a text is no name, and if only the root is above both.
    package static func commonSuperior(of first: String, and second: String) -> String? {
        guard let first = self.parts(of: first), let second = self.parts(of: second) else {
            return nil
        }
        let pairs = zip(first.reversed(), second.reversed()).prefix {
            self.normalized([$0]) == self.normalized([$1])
        }
        return pairs.isEmpty ? nil : self.normalized(pairs.reversed().map(\.0))
    }

    private static func normalized(_ parts: [[Pair]]) -> String {
        parts.map { part in
            part.map { "\($0.type.lowercased())=\(self.normalized($0))" }
                .sorted().joined(separator: "+")
        }
        .joined(separator: ",")
    }

    /// The value of a pair, escaped.
    private static func normalized(_ pair: Pair) -> String {
        guard let text = String(validating: pair.value, as: UTF8.self) else {
            return self.escaped(pair.value)
        }
        return self.escaped(self.folded(text).utf8)
    }

    /// The text without the distinctions of case and of canonically equivalent characters.
    private static func folded(_ text: String) -> String {
        text.lowercased().precomposedStringWithCanonicalMapping
    }

    /// A value of a relative name.
    struct Pair {
        var type: String
        var value: [UInt8]
    }

    /// The relative names of a name, each with its pairs.
    ///
    /// Nil for a name with a BER encoding as a value (`1.3.6.1.4.1.1466.0=#04024869`): libldap
    /// ignores text behind the digits, and so two different names would be equal.
    static func parts(of name: String) -> [[Pair]]? {
        guard name.utf8.count <= self.maximumOctets, !name.utf8.contains(0) else { return nil }
        var parsed: LDAPDN?
        guard ldap_str2dn(name, &parsed, UInt32(LDAP_DN_FORMAT_LDAPV3)) == LDAP_SUCCESS else {
            return nil
        }
        // Nil for the name of the root.
        guard let parsed else { return [] }
        defer { ldap_dnfree(parsed) }
        var parts: [[Pair]] = []
        while let relative = parsed[parts.count] {
            var pairs: [Pair] = []
            while let pair = relative[pairs.count]?.pointee {
                guard pair.la_flags & UInt32(LDAP_AVA_BINARY) == 0 else { return nil }
                pairs.append(
                    Pair(
                        type: String(decoding: self.octets(pair.la_attr), as: UTF8.self),
                        value: self.octets(pair.la_value)
                    )
                )
            }
            parts.append(pairs)
        }
        return parts
    }

    private static func octets(_ value: berval) -> [UInt8] {
        Array(UnsafeRawBufferPointer(start: value.bv_val, count: Int(clamping: value.bv_len)))
    }

    /// The name that a server sends, as a text. Octets that are no UTF-8, and NUL, become escape
    /// sequences of the same meaning: two different names stay different.
    static func text(of octets: [UInt8]) -> String {
        if let text = String(validating: octets, as: UTF8.self), !octets.contains(0) { return text }
        return HexEscape.escaped(octets) { _ in false }
    }
}
