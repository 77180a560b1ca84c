/// A line whose texts need no escapes, which is nearly every one. It is written several times as fast
/// as by an encoder, and is equal to what that writes.
struct PlainLine {
    private var octets: [UInt8]
    /// Whether the entry was written, and no text in it needs an escape.
    private var isPlain = false
    /// Whether the next member is the first one of its object.
    private var isFirst = true

    /// Begins a line.
    init(_ kind: String) {
        self.octets = Array(kind.utf8) + [UInt8(ascii: " ")]
    }

    /// The line; nil if an encoder has to write it.
    var text: String? {
        self.isPlain ? String(decoding: self.octets, as: UTF8.self) : nil
    }

    /// Writes the entry's object.
    mutating func entry(_ members: (inout PlainLine) -> Void) {
        self.isPlain = true
        self.object(members)
    }

    private mutating func object(_ members: (inout PlainLine) -> Void) {
        self.octets.append(UInt8(ascii: "{"))
        self.isFirst = true
        members(&self)
        self.isFirst = false
        self.octets.append(UInt8(ascii: "}"))
    }

    private mutating func key(_ key: StaticString) {
        if !self.isFirst { self.octets.append(UInt8(ascii: ",")) }
        self.isFirst = false
        self.octets.append(UInt8(ascii: "\""))
        self.octets += UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount)
        self.octets.append(UInt8(ascii: "\""))
        self.octets.append(UInt8(ascii: ":"))
    }

    private mutating func append(_ text: String) {
        self.octets.append(UInt8(ascii: "\""))
        let start = self.octets.count
        self.octets += text.utf8
        for octet in self.octets[start...]
        where octet < 0x20 || octet == UInt8(ascii: "\"") || octet == UInt8(ascii: "\\") {
            self.isPlain = false
        }
        self.octets.append(UInt8(ascii: "\""))
    }

    // MARK: - Members, in the order of their keys

    /// A text that is always written.
    mutating func member(_ key: StaticString, text: String) {
        self.key(key)
        self.append(text)
    }

    /// A text; no member for nil.
    mutating func member(_ key: StaticString, optional text: String?) {
        if let text { self.member(key, text: text) }
    }

    /// A text, or `null`.
    mutating func member(_ key: StaticString, nullable text: String?) {
        guard let text else { return self.member(key, literal: "null") }
        self.member(key, text: text)
    }

    /// A number, `true`, `false` or `null`.
    mutating func member(_ key: StaticString, literal: String) {
        self.key(key)
        self.octets += literal.utf8
    }

    /// Texts; no member for nil.
    mutating func member(_ key: StaticString, texts: [String]?) {
        guard let texts else { return }
        self.key(key)
        self.octets.append(UInt8(ascii: "["))
        for (index, text) in texts.enumerated() {
            if index > 0 { self.octets.append(UInt8(ascii: ",")) }
            self.append(text)
        }
        self.octets.append(UInt8(ascii: "]"))
    }

    /// A server; no member for nil.
    mutating func member(_ key: StaticString, server: AccountRow.Server?) {
        guard let server else { return }
        self.key(key)
        self.object { line in
            line.member("host", text: server.host)
            line.member("port", literal: "\(server.port)")
            line.member("tls", text: server.tls)
        }
    }

    /// A scope.
    mutating func member(_ key: StaticString, scope: ModelDocument.Scope) {
        switch scope {
        case .account: self.member(key, text: ModelDocument.Scope.accountWord)
        case .folder(let folder, let isSubtree):
            self.key(key)
            self.object { line in
                line.member("folder", text: folder)
                line.member("subtree", literal: "\(isSubtree)")
            }
        }
    }
}
