/// The mailbox in the angle brackets of MAIL or RCPT (RFC 5321 §4.1.2).
package struct Path: Hashable, Sendable {
    /// The longest path with its brackets, in octets (RFC 5321 §4.5.3.1.3).
    static let maximumOctets = 256
    /// The longest local part, in octets (RFC 5321 §4.5.3.1.1).
    static let maximumLocalOctets = 64

    /// The role of a path. A sender is compared with the store and therefore parsed strictly. A
    /// recipient is for the mail server to judge.
    enum Party {
        case sender
        case recipient
    }

    /// The local part without quotes.
    package let local: [UInt8]
    /// The domain or address literal, as the client wrote it.
    package let domain: [UInt8]

    /// Local part, `@` and domain without quotes, as addresses in the store are compared.
    package var address: [UInt8] { self.local + [UInt8(ascii: "@")] + self.domain }

    /// Whether the path needs SMTPUTF8 (RFC 6531 §3.3).
    package var isInternational: Bool {
        self.local.contains { $0 >= 0x80 } || self.domain.contains { $0 >= 0x80 }
    }

    /// The path on the wire, with brackets; the local part is quoted if necessary.
    package var encoded: [UInt8] {
        var octets: [UInt8] = []
        // Brackets, quotes and the at sign.
        octets.reserveCapacity(self.local.count + self.domain.count + 5)
        octets.append(UInt8(ascii: "<"))
        if self.isDotAtom {
            octets += self.local
        } else {
            octets.append(UInt8(ascii: "\""))
            for octet in self.local {
                if octet == UInt8(ascii: "\"") || octet == UInt8(ascii: "\\") {
                    octets.append(UInt8(ascii: "\\"))
                }
                octets.append(octet)
            }
            octets.append(UInt8(ascii: "\""))
        }
        octets.append(UInt8(ascii: "@"))
        octets += self.domain
        octets.append(UInt8(ascii: ">"))
        return octets
    }

    /// Whether the local part needs no quotes.
    ///
    ///     Dot-string = Atom *("." Atom)
    private var isDotAtom: Bool {
        let dot = UInt8(ascii: ".")
        var last = dot
        for octet in self.local {
            guard octet == dot ? last != dot : octet.isAtext || octet >= 0x80 else { return false }
            last = octet
        }
        return last != dot
    }

    init(local: [UInt8], domain: [UInt8]) {
        self.local = local
        self.domain = domain
    }

    /// Parses a path with its brackets at the start of `rest`, and leaves the octets after it.
    ///
    ///     Path = "<" Mailbox ">"
    ///     Mailbox = Local-part "@" (Domain / address-literal)
    ///
    /// Some clients omit the brackets: the path then ends at the next space.
    ///
    /// - Returns: nil for `<>`.
    /// - Throws: `malformedPath`, also for a source route, which is obsolete (RFC 5321 appendix C).
    static func parse(
        _ rest: inout ArraySlice<UInt8>,
        of party: Party
    ) throws(SubmissionError) -> Path? {
        let whole = rest
        let isBracketed = rest.first == UInt8(ascii: "<")
        if isBracketed { rest.removeFirst() }
        if isBracketed, rest.first == UInt8(ascii: ">") {
            rest.removeFirst()
            return nil
        }
        guard isBracketed || rest.first != UInt8(ascii: "\"") else { throw .malformedPath }
        let local = try self.localPart(&rest, of: party)
        guard rest.popFirst() == UInt8(ascii: "@") else { throw .malformedPath }
        let end = isBracketed ? UInt8(ascii: ">") : 0x20
        let domain = Array(rest.prefix { $0 != end })
        rest = rest.dropFirst(domain.count)
        guard !isBracketed || rest.popFirst() == end, Domain.isValid(domain),
            whole.count - rest.count <= Self.maximumOctets, local.count <= Self.maximumLocalOctets,
            String(validating: local + domain, as: UTF8.self) != nil
        else { throw .malformedPath }
        return Path(local: local, domain: domain)
    }

    /// A dot-string, or a quoted string without its quotes.
    ///
    /// A large mobile carrier assigned addresses with adjacent or outer dots, `a..b@…` and `.a@…`.
    /// They are accepted for recipients: the server gets such a local part as a quoted string, as
    /// the grammar requires (RFC 5321 §4.1.2).
    private static func localPart(
        _ rest: inout ArraySlice<UInt8>,
        of party: Party
    ) throws(SubmissionError) -> [UInt8] {
        if rest.first == UInt8(ascii: "\"") { return try self.quoted(&rest) }
        let local = rest.prefix { $0.isAtext || $0 == UInt8(ascii: ".") || $0 >= 0x80 }
        rest = rest.dropFirst(local.count)
        let atoms = local.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let hasOddDots = atoms.contains(where: \.isEmpty)
        guard !hasOddDots || party == .recipient && !atoms.allSatisfy(\.isEmpty) else {
            throw .malformedPath
        }
        return Array(local)
    }

    private static func quoted(
        _ rest: inout ArraySlice<UInt8>
    ) throws(SubmissionError) -> [UInt8] {
        rest.removeFirst()
        var local: [UInt8] = []
        while let octet = rest.popFirst() {
            switch octet {
            case UInt8(ascii: "\""):
                guard !local.isEmpty else { throw .malformedPath }
                return local
            case UInt8(ascii: "\\"):
                guard let escaped = rest.popFirst(), escaped >= 0x20, escaped < 0x7F else {
                    throw .malformedPath
                }
                local.append(escaped)
            case 0x20..<0x7F, 0x80...0xFF:
                local.append(octet)
            default:
                throw .malformedPath
            }
        }
        throw .malformedPath
    }
}

/// The domain of a path.
enum Domain {
    /// The longest domain (RFC 5321 §4.5.3.1.2).
    private static let maximumOctets = 255
    /// The longest label (RFC 1035 §2.3.4).
    private static let maximumLabelOctets = 63

    ///     Domain = sub-domain *("." sub-domain)
    ///     address-literal = "[" … "]"
    static func isValid(_ domain: some BidirectionalCollection<UInt8>) -> Bool {
        guard !domain.isEmpty, domain.count <= self.maximumOctets else { return false }
        if domain.first == UInt8(ascii: "["), domain.last == UInt8(ascii: "]") {
            return domain.dropFirst().dropLast().allSatisfy {
                $0.isLetter || $0.isDigit || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ":")
                    || $0 == UInt8(ascii: "-")
            }
        }
        return domain.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            .allSatisfy { label in
                (1...self.maximumLabelOctets).contains(label.count)
                    && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
                    && label.allSatisfy {
                        $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "-")
                            || $0 == UInt8(ascii: "_") || $0 >= 0x80
                    }
            }
    }
}
