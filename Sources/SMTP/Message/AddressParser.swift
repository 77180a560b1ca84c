/// A mailbox in a header field: `"Anna Arendt" <anna@kanzlei.example>` (RFC 5322 §3.4).
package struct Mailbox: Equatable, Sendable {
    /// The local part without quotes.
    package var local: [UInt8]
    package var domain: [UInt8]
    /// Whether a display name or a comment accompanies the address.
    package var isNamed = false

    /// Local part, `@` and domain, as addresses in the store are compared.
    package var address: [UInt8] { self.local + [UInt8(ascii: "@")] + self.domain }
}

/// The parser for address fields of a header.
///
/// Fields that name an author are parsed by the current grammar of RFC 5322 §3.4, with one
/// extension for existing programs (dots in an unquoted display name, RFC 5322 §4.1) and
/// restrictions where readers differ: no source route, no group, no comment or space in an address,
/// and no display name that reads as another address.
package struct AddressParser {
    /// Mailboxes in one field: a message has one author, seldom two.
    private static let maximumMailboxes = 64
    /// The deepest nesting of comments.
    private static let maximumDepth = 8

    private var rest: ArraySlice<UInt8>
    private let isInternational: Bool
    /// The text that a mail program may show with the current address.
    private var shown = ShownName()
    /// Addresses that a display name may contain, with ASCII letters in lower case.
    private let own: [[UInt8]]

    private init(_ body: [UInt8], isInternational: Bool, own: [[UInt8]]) {
        self.rest = body[...]
        self.isInternational = isInternational
        self.own = own
    }

    ///     mailbox-list = mailbox *("," mailbox)
    ///
    /// - Parameters:
    ///   - body: the octets after the field's colon, with folding.
    ///   - isInternational: whether octets outside ASCII are allowed (RFC 6532).
    ///   - own: the user's addresses, which a display name may contain.
    /// - Returns: at least one mailbox.
    package static func mailboxes(
        _ body: [UInt8],
        isInternational: Bool,
        own: [[UInt8]] = []
    ) throws(AddressFault) -> [Mailbox] {
        guard isInternational || body.allSatisfy({ $0 < 0x80 }) else { throw .notEncoded }
        guard String(validating: body, as: UTF8.self) != nil else { throw .notUTF8 }
        var parser = AddressParser(body, isInternational: isInternational, own: own)
        var mailboxes: [Mailbox] = []
        repeat {
            guard mailboxes.count < Self.maximumMailboxes else { throw .malformed }
            mailboxes.append(try parser.mailbox())
        } while parser.take(UInt8(ascii: ","))
        guard parser.rest.isEmpty else { throw .malformed }
        return mailboxes
    }

    private mutating func take(_ octet: UInt8) -> Bool {
        guard self.rest.first == octet else { return false }
        self.rest.removeFirst()
        return true
    }

    ///     mailbox = name-addr / addr-spec
    ///     name-addr = [display-name] angle-addr
    private mutating func mailbox() throws(AddressFault) -> Mailbox {
        self.shown = ShownName()
        try self.skipBlanksAndComments()
        let start = self.rest
        if let mailbox = try self.bareAddress() {
            self.shown.appendAddress()
            try self.skipBlanksAndComments()
            guard self.rest.isEmpty || self.rest.first == UInt8(ascii: ",") else {
                throw .malformed
            }
            return try self.named(mailbox)
        }
        self.rest = start
        try self.displayName()
        guard self.take(UInt8(ascii: "<")) else { throw .malformed }
        let mailbox = try self.address()
        guard self.take(UInt8(ascii: ">")) else { throw .malformed }
        self.shown.appendAddress()
        try self.skipBlanksAndComments()
        return try self.named(mailbox)
    }

    /// The mailbox, unless its name reads as another address.
    private func named(_ mailbox: Mailbox) throws(AddressFault) -> Mailbox {
        try self.shown.check(beside: mailbox.address, own: self.own)
        var named = mailbox
        named.isNamed = !self.shown.isEmpty
        return named
    }

    /// An address without brackets; nil if the next octets are none.
    private mutating func bareAddress() throws(AddressFault) -> Mailbox? {
        guard self.rest.first != UInt8(ascii: "<") else { return nil }
        let start = self.rest
        if self.rest.first == UInt8(ascii: "\"") {
            _ = try self.quotedString()
        } else {
            self.rest = self.rest.drop { self.isLocal($0) }
        }
        guard self.rest.first == UInt8(ascii: "@") else { return nil }
        self.rest = start
        return try self.address()
    }

    ///     addr-spec = local-part "@" domain
    private mutating func address() throws(AddressFault) -> Mailbox {
        var local: [UInt8]
        if self.rest.first == UInt8(ascii: "\"") {
            let quoted = self.rest
            local = try self.quotedString()
            // No real address contains a backslash, and programs interpret it differently.
            guard !local.isEmpty,
                !quoted.prefix(quoted.count - self.rest.count).contains(UInt8(ascii: "\\"))
            else { throw .malformed }
        } else {
            local = Array(self.rest.prefix { self.isLocal($0) })
            self.rest = self.rest.dropFirst(local.count)
            let atoms = local.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            guard atoms.allSatisfy({ !$0.isEmpty }) else { throw .malformed }
        }
        guard self.take(UInt8(ascii: "@")) else { throw .malformed }
        let domain = Array(
            self.rest.prefix {
                $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
            }
        )
        self.rest = self.rest.dropFirst(domain.count)
        guard Domain.isValid(domain) else { throw .malformed }
        return Mailbox(local: local, domain: domain)
    }

    private func isLocal(_ octet: UInt8) -> Bool {
        octet.isAtext || octet == UInt8(ascii: ".") || octet >= 0x80 && self.isInternational
    }

    ///     display-name = phrase
    ///     phrase = 1*word / obs-phrase
    private mutating func displayName() throws(AddressFault) {
        while let octet = self.rest.first, octet != UInt8(ascii: "<") {
            if octet == UInt8(ascii: "\"") {
                self.shown.appendWord(try self.quotedString())
            } else if self.isLocal(octet) {
                let word = self.rest.prefix { self.isLocal($0) }
                self.rest = self.rest.dropFirst(word.count)
                self.shown.appendWord(word)
            } else if octet.isBlank || octet == .carriageReturn || octet == UInt8(ascii: "(") {
                try self.skipBlanksAndComments()
            } else {
                throw .malformed
            }
        }
    }

    /// The contents of a quoted string, without escapes and folding.
    private mutating func quotedString() throws(AddressFault) -> [UInt8] {
        self.rest.removeFirst()
        var contents: [UInt8] = []
        while let octet = self.rest.popFirst() {
            switch octet {
            case UInt8(ascii: "\""):
                return contents
            case UInt8(ascii: "\\"):
                guard let escaped = self.rest.popFirst(), escaped >= 0x20, escaped < 0x7F else {
                    throw .malformed
                }
                contents.append(escaped)
            case .carriageReturn:
                try self.expectFold()
            case 0x09, 0x20..<0x7F:
                contents.append(octet)
            case 0x80...0xFF where self.isInternational:
                contents.append(octet)
            default:
                throw .malformed
            }
        }
        throw .malformed
    }

    /// Consumes the rest of folding white space, after its CR.
    private mutating func expectFold() throws(AddressFault) {
        guard self.take(.lineFeed), self.rest.first?.isBlank ?? false else { throw .malformed }
    }

    ///     CFWS = (1*([FWS] comment) [FWS]) / FWS
    private mutating func skipBlanksAndComments() throws(AddressFault) {
        while let octet = self.rest.first {
            if octet.isBlank {
                self.rest.removeFirst()
                self.shown.appendBlank(octet)
            } else if octet == .carriageReturn {
                self.rest.removeFirst()
                try self.expectFold()
            } else if octet == UInt8(ascii: "(") {
                try self.comment()
            } else {
                return
            }
        }
    }

    ///     comment = "(" *([FWS] (ctext / quoted-pair / comment)) [FWS] ")"
    private mutating func comment() throws(AddressFault) {
        var depth = 0
        var text: [UInt8] = []
        repeat {
            guard let octet = self.rest.popFirst() else { throw .malformed }
            switch octet {
            case UInt8(ascii: "("):
                depth += 1
                guard depth <= Self.maximumDepth else { throw .malformed }
                if depth > 1 { text += [0x20, octet, 0x20] }
            case UInt8(ascii: ")"):
                depth -= 1
                if depth > 0 { text += [0x20, octet, 0x20] }
            case UInt8(ascii: "\\"):
                guard let escaped = self.rest.popFirst(), escaped >= 0x20, escaped < 0x7F else {
                    throw .malformed
                }
                text.append(escaped)
            case .carriageReturn:
                try self.expectFold()
            case 0x09, 0x20..<0x7F:
                text.append(octet)
            case 0x80...0xFF where self.isInternational:
                text.append(octet)
            default:
                throw .malformed
            }
        } while depth > 0
        self.shown.appendComment(text)
    }
}
