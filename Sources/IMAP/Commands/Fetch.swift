/// `FETCH 2:4 (FLAGS BODY.PEEK[HEADER])` and its UID form (RFC 9051 §6.4.5).
package struct Fetch: Equatable, Sendable {
    package var isUID: Bool
    package var set: SequenceSet
    package var attributes: [FetchAttribute]
    /// CHANGEDSINCE (RFC 7162 §3.1.4.1).
    package var changedSince: UInt64?
    /// VANISHED (RFC 7162 §3.2.6).
    package var asksVanished = false

    /// Whether carrying it out sets `\Seen`.
    package var setsSeen: Bool {
        self.attributes.contains(where: \.setsSeen)
    }

    /// Whether an item is asked by a name that has no form without the setting of `\Seen`.
    package var usesWholeMessageItems: Bool {
        self.attributes.contains { $0 == .rfc822 || $0 == .rfc822Text }
    }

    /// Whether it asks for what stands in messages below their headers.
    package var asksText: Bool {
        self.attributes.contains(where: \.isText)
    }

    /// The same without setting `\Seen`.
    package func peeking() -> Fetch {
        var fetch = self
        fetch.attributes = self.attributes.map(\.peeking)
        return fetch
    }

    /// Capabilities that the mailbox's server must have.
    package var requiredCapabilities: [String] {
        var required = Set(self.attributes.compactMap(\.requiredCapability))
        if self.changedSince != nil { required.insert("CONDSTORE") }
        if self.asksVanished { required.insert("QRESYNC") }
        if self.set.isSavedResult { required.insert("SEARCHRES") }
        return required.sorted()
    }

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
