import Access
import IMAP

import struct NIOCore.ByteBuffer

extension ClientSession {
    mutating func list(_ tag: ByteBuffer, list: List) {
        // RFC 9051 §6.3.9: an empty pattern asks for the delimiter.
        if list.isDelimiterQuery {
            self.emit(Reply.listRoot(delimiter: Namespace.delimiter))
            return self.finish(tag, text: .completed("LIST"))
        }
        self.begin(Listing(tag: tag, list: list, parts: [], patterns: list.joinedPatterns))
    }

    mutating func lsub(_ tag: ByteBuffer, lsub: Lsub) {
        var list = List(reference: lsub.reference, patterns: [lsub.pattern])
        list.selectsSubscribed = true
        var listing = Listing(tag: tag, list: list, parts: [], patterns: list.joinedPatterns)
        listing.isLsub = true
        self.begin(listing)
    }

    private mutating func begin(_ listing: Listing) {
        var listing = listing
        self.refreshNamespace()
        for view in self.namespace.views
        where listing.patterns.contains(where: { Self.mayMatch($0, in: view) }) {
            listing.parts.append(Listing.Part(view: view))
        }
        self.running = .listing(listing)
        self.lookUpFolders(for: listing)
        if listing.needsSubscriptions, let user = self.user {
            self.actions.append(.loadSubscriptions(user))
        }
        self.completeListing()
        // What is asked behind it, and may list as many accounts, is the next turn's.
        if self.reader.bufferedOctets > 0 { self.yieldLoop() }
    }

    /// Whether a pattern could match a folder of an account: only then is its server asked.
    private static func mayMatch(_ pattern: MailboxPattern, in view: Namespace.View) -> Bool {
        guard view.isPersonal else { return pattern.mayMatchBelow(view.prefix) }
        let fixed = pattern.fixedPrefix
        return !fixed.contains(Namespace.delimiter) || !Namespace.isReserved(fixed)
    }

    // MARK: - The answer

    /// Begins to write the lines once every account has answered or failed. A failed one costs its own
    /// folders only, and the client is told; where nothing else was asked for, the answer is `NO`.
    mutating func completeListing() {
        guard case .listing(var listing) = self.running, listing.answer == nil,
            listing.isComplete
        else { return }
        let reached = listing.parts.filter { !$0.isBelowPatterns }
        if !reached.isEmpty, reached.allSatisfy({ $0.step == .failed }) {
            return self.finish(listing.tag, text: .unavailable)
        }
        listing.answer = ListAnswer(listing, views: self.namespace.views)
        self.running = .listing(listing)
        self.continueListing()
    }

    /// Goes on with a LIST that yielded the loop: with its lines, or with looking for the next folder
    /// to be counted.
    mutating func continueListing() {
        guard case .listing(let listing) = self.running else { return }
        guard let answer = listing.answer else { return self.continueCounting(listing) }
        // A server's response that has passed in part goes on first; its end brings the session here.
        guard self.passing == nil else { return }
        guard answer.advance(in: &self) else { return self.yieldLoop() }
        guard !answer.isTooLarge else { return self.finish(listing.tag, text: .unavailable) }
        if listing.parts.contains(where: { $0.step == .failed }) {
            self.emit(Reply.untagged(.someUnavailable))
        } else if listing.parts.contains(where: \.isOutdated) {
            self.emit(Reply.untagged(.someOutdated))
        }
        self.finish(listing.tag, text: .completed(listing.isLsub ? "LSUB" : "LIST"))
    }
}
