/// One mailbox of a header field: `"Anna Arendt" <anna@kanzlei.example>` (RFC 5322 §3.4).
package struct Mailbox: Equatable, Sendable {
    /// Without the quotes of a quoted local part.
    package var local: [UInt8]
    package var domain: [UInt8]

    /// Local part, `@` and domain: what is compared with addresses in the store.
    package var address: [UInt8] { self.local + [UInt8(ascii: "@")] + self.domain }
}

/// Reads the address fields of a header.
///
/// Everything that names an author is read by the present grammar of RFC 5322 §3.4, with two
/// allowances for what programs write (dots in an unquoted display name, RFC 5322 §4.1) and less
/// where readers are known to differ: no source route, no group, no comment or blank inside an
/// address, and no display name that looks like another address.
package struct AddressParser {
    /// Why a field is refused; the octets are not repeated.
    package struct Fault: Error, Equatable {}

    /// Mailboxes in one field: a message has one author, seldom two.
    private static let maximumMailboxes = 64
    /// Comments inside comments.
    private static let maximumDepth = 8

    private var rest: ArraySlice<UInt8>
    private let isInternational: Bool
    /// What a reader may show beside the address being read: display name and comments.
    private var shown: [UInt8] = []

    private init(_ body: [UInt8], isInternational: Bool) {
        self.rest = body[...]
        self.isInternational = isInternational
    }

    ///     mailbox-list = mailbox *("," mailbox)
    ///
    /// - Parameter body: what stands behind the field's colon, with its folding.
    /// - Returns: at least one mailbox.
    package static func mailboxes(
        _ body: [UInt8],
        isInternational: Bool
    ) throws(Fault) -> [Mailbox] {
        var parser = AddressParser(body, isInternational: isInternational)
        var mailboxes: [Mailbox] = []
        repeat {
            guard mailboxes.count < Self.maximumMailboxes else { throw Fault() }
            mailboxes.append(try parser.mailbox())
        } while parser.take(UInt8(ascii: ","))
        guard parser.rest.isEmpty else { throw Fault() }
        return mailboxes
    }

    private mutating func take(_ octet: UInt8) -> Bool {
        guard self.rest.first == octet else { return false }
        self.rest.removeFirst()
        return true
    }

    ///     mailbox = name-addr / addr-spec
    ///     name-addr = [display-name] angle-addr
    private mutating func mailbox() throws(Fault) -> Mailbox {
        self.shown = []
        try self.skipBlanksAndComments()
        let start = self.rest
        if let mailbox = try self.bareAddress() {
            try self.skipBlanksAndComments()
            guard self.rest.isEmpty || self.rest.first == UInt8(ascii: ",") else { throw Fault() }
            try self.checkShown(beside: mailbox)
            return mailbox
        }
        self.rest = start
        try self.displayName()
        guard self.take(UInt8(ascii: "<")) else { throw Fault() }
        let mailbox = try self.address()
        guard self.take(UInt8(ascii: ">")) else { throw Fault() }
        try self.skipBlanksAndComments()
        try self.checkShown(beside: mailbox)
        return mailbox
    }

    /// An address without brackets; nil where what comes is not one.
    private mutating func bareAddress() throws(Fault) -> Mailbox? {
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
    private mutating func address() throws(Fault) -> Mailbox {
        var local: [UInt8]
        if self.rest.first == UInt8(ascii: "\"") {
            local = try self.quotedString()
            guard !local.isEmpty else { throw Fault() }
        } else {
            local = Array(self.rest.prefix { self.isLocal($0) })
            self.rest = self.rest.dropFirst(local.count)
            let atoms = local.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            guard atoms.allSatisfy({ !$0.isEmpty }) else { throw Fault() }
        }
        guard self.take(UInt8(ascii: "@")) else { throw Fault() }
        let domain = Array(
            self.rest.prefix {
                $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
            }
        )
        self.rest = self.rest.dropFirst(domain.count)
        guard Domain.isValid(domain) else { throw Fault() }
        return Mailbox(local: local, domain: domain)
    }

    private func isLocal(_ octet: UInt8) -> Bool {
        octet.isAtext || octet == UInt8(ascii: ".") || octet >= 0x80 && self.isInternational
    }

    ///     display-name = phrase
    ///     phrase = 1*word / obs-phrase
    private mutating func displayName() throws(Fault) {
        while let octet = self.rest.first, octet != UInt8(ascii: "<") {
            if octet == UInt8(ascii: "\"") {
                self.shown += try self.quotedString()
            } else if self.isLocal(octet) {
                let word = self.rest.prefix { self.isLocal($0) }
                self.rest = self.rest.dropFirst(word.count)
                self.shown += word
            } else if octet.isBlank || octet == .carriageReturn || octet == UInt8(ascii: "(") {
                try self.skipBlanksAndComments()
                self.shown.append(0x20)
            } else {
                throw Fault()
            }
        }
    }

    /// The contents of a quoted string, unescaped and unfolded.
    private mutating func quotedString() throws(Fault) -> [UInt8] {
        self.rest.removeFirst()
        var contents: [UInt8] = []
        while let octet = self.rest.popFirst() {
            switch octet {
            case UInt8(ascii: "\""):
                return contents
            case UInt8(ascii: "\\"):
                guard let escaped = self.rest.popFirst(), escaped >= 0x20, escaped < 0x7F else {
                    throw Fault()
                }
                contents.append(escaped)
            case .carriageReturn:
                try self.expectFold()
            case 0x09, 0x20..<0x7F:
                contents.append(octet)
            case 0x80...0xFF where self.isInternational:
                contents.append(octet)
            default:
                throw Fault()
            }
        }
        throw Fault()
    }

    /// The rest of a folding white space, whose CR is consumed.
    private mutating func expectFold() throws(Fault) {
        guard self.take(.lineFeed), self.rest.first?.isBlank ?? false else { throw Fault() }
    }

    ///     CFWS = (1*([FWS] comment) [FWS]) / FWS
    private mutating func skipBlanksAndComments() throws(Fault) {
        while let octet = self.rest.first {
            if octet.isBlank {
                self.rest.removeFirst()
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
    private mutating func comment() throws(Fault) {
        var depth = 0
        self.shown.append(0x20)
        repeat {
            guard let octet = self.rest.popFirst() else { throw Fault() }
            switch octet {
            case UInt8(ascii: "("):
                depth += 1
                guard depth <= Self.maximumDepth else { throw Fault() }
            case UInt8(ascii: ")"):
                depth -= 1
            case UInt8(ascii: "\\"):
                guard let escaped = self.rest.popFirst(), escaped >= 0x20, escaped < 0x7F else {
                    throw Fault()
                }
                self.shown.append(escaped)
            case .carriageReturn:
                try self.expectFold()
            case 0x09, 0x20..<0x7F:
                self.shown.append(octet)
            case 0x80...0xFF where self.isInternational:
                self.shown.append(octet)
            default:
                throw Fault()
            }
        } while depth > 0
        self.shown.append(0x20)
    }

    /// What a reader shows instead of the address must not look like another one: it may hold an
    /// `@` only as the very same address, and no angle bracket, line end or NUL. Encoded words are
    /// read wherever they stand, because some readers do so inside quotes.
    private func checkShown(beside mailbox: Mailbox) throws(Fault) {
        let text = try self.shownText()
        for octet in text {
            let isBracket = octet == UInt8(ascii: "<") || octet == UInt8(ascii: ">")
            guard !isBracket, !octet.isControl || octet == 0x09 else { throw Fault() }
        }
        for word in text.split(whereSeparator: \.isBlank) where Self.looksLikeAddress(word) {
            guard word.map(\.asciiLowercased) == mailbox.address.map(\.asciiLowercased) else {
                throw Fault()
            }
        }
    }

    /// The blank between two encoded words is not shown (RFC 2047 §6.2). Behind the text is what those of
    /// one charset show together, where that is not what they show one by one.
    private func shownText() throws(Fault) -> [UInt8] {
        var text: [UInt8] = []
        var together: [UInt8] = []
        // The words that follow each other in one charset.
        var run: EncodedWord?
        do {
            for word in self.shown.split(whereSeparator: \.isBlank) {
                let decoded = try EncodedWord.decode(word)
                if run == nil || decoded == nil { text.append(0x20) }
                text += try decoded?.text() ?? Array(word)
                if let decoded, run?.take(decoded) ?? false { continue }
                together += try [0x20] + (run?.text() ?? [])
                run = decoded
            }
            together += try [0x20] + (run?.text() ?? [])
        } catch {
            throw Fault()
        }
        return text + together
    }

    /// Characters that look like `@`: U+FE6B and U+FF20.
    private static let otherSigns: [[UInt8]] = [[0xEF, 0xB9, 0xAB], [0xEF, 0xBC, 0xA0]]

    private static func looksLikeAddress(_ word: ArraySlice<UInt8>) -> Bool {
        word.contains(UInt8(ascii: "@"))
            || word.indices.contains { index in
                self.otherSigns.contains { word[index...].starts(with: $0) }
            }
    }
}
