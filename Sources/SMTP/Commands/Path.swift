/// The address between the angle brackets of MAIL and RCPT (RFC 5321 §4.1.2).
package struct Path: Hashable, Sendable {
    /// The longest path, brackets included (RFC 5321 §4.5.3.1.3).
    static let maximumOctets = 256
    /// RFC 5321 §4.5.3.1.1.
    static let maximumLocalOctets = 64

    /// Whose address a path is. What a sender is compared with is read strictly; a recipient is the
    /// mail server's to judge.
    enum Party {
        case sender
        case recipient
    }

    /// The local part without its quotes.
    package let local: [UInt8]
    /// As it came: a domain or an address literal.
    package let domain: [UInt8]

    /// Local part, `@` and domain, without quotes: what is compared with addresses in the store.
    package var address: [UInt8] { self.local + [UInt8(ascii: "@")] + self.domain }

    /// Whether it needs SMTPUTF8 (RFC 6531 §3.3).
    package var isInternational: Bool { self.address.contains { $0 >= 0x80 } }

    /// As it goes to a server, in brackets; the local part is quoted where it has to be.
    package var encoded: [UInt8] {
        let isDotAtom =
            !self.local.isEmpty
            && self.local.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
                .allSatisfy { !$0.isEmpty && $0.allSatisfy { $0.isAtext || $0 >= 0x80 } }
        var octets: [UInt8] = [UInt8(ascii: "<")]
        if isDotAtom {
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
        return octets + [UInt8(ascii: "@")] + self.domain + [UInt8(ascii: ">")]
    }

    init(local: [UInt8], domain: [UInt8]) {
        self.local = local
        self.domain = domain
    }

    /// Reads a path from the beginning of `rest`, brackets included, and leaves what follows it.
    ///
    ///     Path = "<" Mailbox ">"
    ///     Mailbox = Local-part "@" (Domain / address-literal)
    ///
    /// Some clients leave the brackets out: then the path ends at the next blank.
    ///
    /// - Returns: nil for `<>`.
    /// - Throws: what is no path; one with a source route, which nothing may follow any more
    ///   (RFC 5321 appendix C).
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

    /// A dot-string or a quoted string, without its quotes.
    ///
    /// A large mobile carrier gave out addresses with dots side by side and at the ends, `a..b@…` and
    /// `.a@…`. A recipient may have them; a server gets such a local part in quotes, as the grammar
    /// wants it (RFC 5321 §4.1.2), and judges it.
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

/// What may stand behind the `@`.
enum Domain {
    private static let maximumOctets = 255
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
