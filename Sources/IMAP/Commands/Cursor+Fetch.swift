import struct NIOCore.ByteBuffer

extension Cursor {
    /// The most items of a FETCH: a client requests about ten.
    private static let maximumAttributes = 100

    ///     fetch = "FETCH" SP sequence-set SP
    ///             ("ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")")
    ///             [SP "(" fetch-modifier *(SP fetch-modifier) ")"]
    mutating func fetch(isUID: Bool) throws(SyntaxError) -> Fetch {
        let set = try self.sequenceSet()
        try self.expectBlank()
        var attributes: [FetchAttribute]
        if self.peek() == UInt8(ascii: "(") {
            attributes = try self.fetchAttributes()
        } else {
            attributes = [try self.fetchAttribute()]
        }
        var fetch = Fetch(isUID: isUID, set: set, attributes: attributes)
        if self.takeBlank() { try self.fetchModifiers(&fetch) }
        try self.expectEndOfCommand()
        return fetch
    }

    ///     "(" fetch-att *(SP fetch-att) ")"
    private mutating func fetchAttributes() throws(SyntaxError) -> [FetchAttribute] {
        let attributes = try self.elements { cursor throws(SyntaxError) in
            try cursor.fetchAttribute()
        }
        guard attributes.count <= Self.maximumAttributes else {
            throw self.error(.commandTooLarge)
        }
        let hasMacro = attributes.contains { $0 == .all || $0 == .fast || $0 == .full }
        guard !hasMacro else { throw self.error(.expected("item")) }
        return attributes
    }

    /// Items that a server sends unsolicited, in forms that do not set `\Seen`. RFC822 and
    /// RFC822.TEXT have no such form and are refused (RFC 5465 §5.2 advises against them).
    mutating func unasked() throws(SyntaxError) -> [FetchAttribute] {
        let attributes = try self.fetchAttributes()
        guard !attributes.contains(where: { $0 == .rfc822 || $0 == .rfc822Text }) else {
            throw self.error(.expected("BODY.PEEK"))
        }
        return attributes.map(\.peeking)
    }

    private mutating func fetchModifiers(_ fetch: inout Fetch) throws(SyntaxError) {
        try self.expectOpening()
        repeat {
            if self.take(argumentsOf: "CHANGEDSINCE") {
                fetch.changedSince = try self.number64()
            } else if self.take(word: "VANISHED") {
                fetch.asksVanished = true
            } else {
                throw self.error(.expected("fetch modifier"))
            }
        } while self.takeBlank()
        try self.expectClosing()
        guard !fetch.asksVanished || (fetch.isUID && fetch.changedSince != nil) else {
            throw self.error(.expected("CHANGEDSINCE"))
        }
    }

    private mutating func fetchAttribute() throws(SyntaxError) -> FetchAttribute {
        let name = self.takeRun {
            $0.isAtomChar && $0 != UInt8(ascii: "[") && $0 != UInt8(ascii: "<")
        }
        guard self.peek() == UInt8(ascii: "[") else { return try self.plainAttribute(name) }
        switch name.uppercasedText() {
        case "BODY":
            return .section(try self.section(), try self.partial(), peeks: false)
        case "BODY.PEEK":
            return .section(try self.section(), try self.partial(), peeks: true)
        case "BINARY":
            return .binary(try self.binaryPart(), try self.partial(), peeks: false)
        case "BINARY.PEEK":
            return .binary(try self.binaryPart(), try self.partial(), peeks: true)
        case "BINARY.SIZE":
            return .binarySize(try self.binaryPart())
        default:
            throw self.error(.expected("item"))
        }
    }

    private mutating func plainAttribute(_ name: ByteBuffer) throws(SyntaxError) -> FetchAttribute {
        switch name.uppercasedText() {
        case "ALL": return .all
        case "FAST": return .fast
        case "FULL": return .full
        case "BODYSTRUCTURE": return .bodyStructure
        case "BODY": return .body
        case "ENVELOPE": return .envelope
        case "FLAGS": return .flags
        case "INTERNALDATE": return .internalDate
        case "UID": return .uid
        case "RFC822": return .rfc822
        case "RFC822.HEADER": return .rfc822Header
        case "RFC822.SIZE": return .rfc822Size
        case "RFC822.TEXT": return .rfc822Text
        case "MODSEQ": return .modSeq
        case "SAVEDATE": return .saveDate
        case "EMAILID": return .emailID
        case "THREADID": return .threadID
        case "PREVIEW": return .preview(isLazy: try self.isLazyPreview())
        default: throw self.error(.expected("item"))
        }
    }

    ///     fetch-att =/ "PREVIEW" [SP "(" preview-mod ")"]
    private mutating func isLazyPreview() throws(SyntaxError) -> Bool {
        var ahead = self
        guard ahead.takeBlankBeforeList() else { return false }
        try ahead.expectOpening()
        guard ahead.take(word: "LAZY") else { return false }
        try ahead.expectClosing()
        self = ahead
        return true
    }

    ///     section = "[" [section-spec] "]"
    private mutating func section() throws(SyntaxError) -> Section {
        try self.expect("[")
        var part: [UInt32] = []
        while let octet = self.peek(), octet.isDigit {
            guard part.count < Section.maximumParts else { throw self.error(.tooDeep) }
            part.append(try self.nonZeroNumber())
            guard self.take(".") else {
                try self.expect("]")
                return Section(part: part, text: nil)
            }
            if self.peek()?.isDigit != true { break }
        }
        if part.isEmpty, self.take("]") { return Section(part: [], text: nil) }
        let text = try self.sectionText(allowsMIME: !part.isEmpty)
        try self.expect("]")
        return Section(part: part, text: text)
    }

    ///     section-msgtext = "HEADER" / "HEADER.FIELDS" [".NOT"] SP header-list / "TEXT"
    private mutating func sectionText(allowsMIME: Bool) throws(SyntaxError) -> Section.Text {
        if self.take(argumentsOf: "HEADER.FIELDS.NOT") {
            return .fields(try self.headerList(), isNegated: true)
        }
        if self.take(argumentsOf: "HEADER.FIELDS") {
            return .fields(try self.headerList(), isNegated: false)
        }
        if self.take(word: "HEADER") { return .header }
        if self.take(word: "TEXT") { return .text }
        if allowsMIME, self.take(word: "MIME") { return .mime }
        throw self.error(.expected("section"))
    }

    ///     header-list = "(" header-fld-name *(SP header-fld-name) ")"
    private mutating func headerList() throws(SyntaxError) -> [ByteBuffer] {
        try self.elements { cursor throws(SyntaxError) in
            let name = try cursor.astring()
            let isName =
                name.readableBytes > 0
                && name.readableBytesView.allSatisfy {
                    $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":")
                }
            guard isName else { throw cursor.error(.expected("header field name")) }
            return name
        }
    }

    private mutating func binaryPart() throws(SyntaxError) -> [UInt32] {
        let section = try self.section()
        guard section.text == nil else { throw self.error(.expected("part number")) }
        return section.part
    }

    ///     partial = "<" number "." nz-number ">"
    private mutating func partial() throws(SyntaxError) -> FetchAttribute.Partial? {
        guard self.take("<") else { return nil }
        let offset = try self.number()
        try self.expect(".")
        let count = try self.nonZeroNumber()
        try self.expect(">")
        return FetchAttribute.Partial(offset: offset, count: count)
    }
}
