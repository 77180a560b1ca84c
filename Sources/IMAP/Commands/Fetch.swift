/// `FETCH 2:4 (FLAGS BODY.PEEK[HEADER])` and its UID form (RFC 9051 §6.4.5).
package struct Fetch: Equatable, Sendable {
    /// Whether numbers are UIDs (`UID FETCH`).
    package var isUID: Bool
    /// The messages.
    package var set: SequenceSet
    /// The requested items.
    package var attributes: [FetchAttribute]
    /// The value of CHANGEDSINCE (RFC 7162 §3.1.4.1).
    package var changedSince: UInt64?
    /// Whether VANISHED is requested (RFC 7162 §3.2.6).
    package var asksVanished = false

    /// Whether the command sets `\Seen`.
    package var setsSeen: Bool {
        self.attributes.contains(where: \.setsSeen)
    }

    /// Whether it requests RFC822 or RFC822.TEXT, which have no form that leaves `\Seen`.
    package var usesWholeMessageItems: Bool {
        self.attributes.contains { $0 == .rfc822 || $0 == .rfc822Text }
    }

    /// Whether it requests content of messages beyond their headers.
    package var asksText: Bool {
        self.attributes.contains(where: \.isText)
    }

    /// The command in forms that do not set `\Seen`.
    package func peeking() -> Fetch {
        var fetch = self
        fetch.attributes = self.attributes.map(\.peeking)
        return fetch
    }

    /// The capabilities that the mailbox's server needs.
    package var requiredCapabilities: [String] {
        var required = Set(self.attributes.compactMap(\.requiredCapability))
        if self.changedSince != nil { required.insert("CONDSTORE") }
        if self.asksVanished { required.insert("QRESYNC") }
        if self.set.isSavedResult { required.insert("SEARCHRES") }
        return required.sorted()
    }

    /// Encodes the command.
    package func encode(into encoder: inout CommandEncoder) {
        encoder.write(word: self.isUID ? "UID FETCH" : "FETCH")
        self.set.encode(into: &encoder)
        if self.attributes.count == 1, let only = self.attributes.first {
            only.encode(into: &encoder)
        } else {
            encoder.write(attributes: self.attributes)
        }
        guard let changedSince = self.changedSince else { return }
        encoder.open()
        encoder.write(word: "CHANGEDSINCE")
        encoder.write(number: changedSince)
        if self.asksVanished { encoder.write(word: "VANISHED") }
        encoder.close()
    }
}
