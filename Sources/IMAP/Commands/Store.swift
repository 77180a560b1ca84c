/// `STORE 2:4 +FLAGS (\Deleted)` and its UID form (RFC 9051 §6.4.6).
package struct StoreFlags: Equatable, Sendable {
    /// The change of the flags.
    package enum Action: Equatable, Sendable {
        case replace
        case add
        case remove
    }

    /// Whether numbers are UIDs.
    package var isUID: Bool
    /// The messages.
    package var set: SequenceSet
    /// The value of UNCHANGEDSINCE (RFC 7162 §3.1.3).
    package var unchangedSince: UInt64?
    /// The change.
    package var action: Action
    /// Whether `.SILENT` suppresses the FETCH responses.
    package var isSilent: Bool
    package var flags: [Flag]

    /// The capabilities that the server needs.
    package var requiredCapabilities: [String] {
        (self.unchangedSince == nil ? [] : ["CONDSTORE"])
            + (self.set.isSavedResult ? ["SEARCHRES"] : [])
    }

    package func encode(into encoder: inout CommandEncoder) {
        encoder.write(word: self.isUID ? "UID STORE" : "STORE")
        self.set.encode(into: &encoder)
        if let unchangedSince = self.unchangedSince {
            encoder.open()
            encoder.write(word: "UNCHANGEDSINCE")
            encoder.write(number: unchangedSince)
            encoder.close()
        }
        switch self.action {
        case .replace: encoder.write(word: self.isSilent ? "FLAGS.SILENT" : "FLAGS")
        case .add: encoder.write(word: self.isSilent ? "+FLAGS.SILENT" : "+FLAGS")
        case .remove: encoder.write(word: self.isSilent ? "-FLAGS.SILENT" : "-FLAGS")
        }
        encoder.write(flags: self.flags)
    }
}

extension Cursor {
    ///     store = "STORE" SP sequence-set [SP store-modifiers] SP store-att-flags
    mutating func store(isUID: Bool) throws(SyntaxError) -> StoreFlags {
        let set = try self.sequenceSet()
        try self.expectBlank()
        var unchangedSince: UInt64?
        if self.peek() == UInt8(ascii: "(") {
            try self.expectOpening()
            guard self.take(argumentsOf: "UNCHANGEDSINCE") else {
                throw self.error(.expected("store modifier"))
            }
            unchangedSince = try self.number64()
            try self.expectClosing()
            try self.expectBlank()
        }
        let action: StoreFlags.Action = self.take("+") ? .add : self.take("-") ? .remove : .replace
        guard self.take(word: "FLAGS") else { throw self.error(.expected("FLAGS")) }
        let isSilent = self.take(word: ".SILENT")
        try self.expectBlank()
        let flags = try self.storeFlags()
        try self.expectEndOfCommand()
        return StoreFlags(
            isUID: isUID,
            set: set,
            unchangedSince: unchangedSince,
            action: action,
            isSilent: isSilent,
            flags: flags
        )
    }

    ///     store-att-flags = … (flag-list / (flag *(SP flag)))
    private mutating func storeFlags() throws(SyntaxError) -> [Flag] {
        if self.peek() == UInt8(ascii: "(") { return try self.flagList() }
        var flags = [try self.flag()]
        while self.takeBlank() { flags.append(try self.flag()) }
        return flags
    }
}
