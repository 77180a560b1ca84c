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
        self.lookAround()
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

    // MARK: - One account

    /// Asks an account's server for its folders, as soon as it is there.
    mutating func listingUpstreamReady(_ account: AccountID) {
        self.updatePart(of: account) { session, listing, part in
            guard part.step == .waitingForUpstream else { return }
            guard let upstream = session.upstreams[account] else { return session.open(account) }
            guard upstream.state == .ready, upstream.inFlight == nil else { return }
            part.step = .folders
            var encoder = session.encoder(for: account)
            encoder.write(word: "LIST \"\" \"*\"")
            let isOwner = session.access(to: account).isOwner
            // What was known for an owner is not for others.
            if part.isOwner != isOwner { part.known.folders = nil }
            part.isOwner = isOwner
            let hasIdentifiers = upstream.profile.hasListedIdentifiers && !part.isOwner
            part.listing = part.isOwner ? nil : FolderListing(hasIdentifiers: hasIdentifiers)
            upstream.profile.writeListOptions(identifiers: hasIdentifiers, into: &encoder)
            session.send(encoder, for: &part)
        }
    }

    private mutating func send(_ encoder: CommandEncoder, for part: inout Listing.Part) {
        var encoder = encoder
        part.segments = encoder.finish()
        guard !part.segments.isEmpty else { return }
        self.actions.append(.toUpstream(part.view.account, part.segments.removeFirst()))
    }

    mutating func listingContinued(_ account: AccountID) {
        self.updatePart(of: account) { session, _, part in
            session.actions.append(.toUpstream(account, part.segments.removeFirst()))
        }
    }

    /// Counts what a listing holds of a server's responses, and leaves a server that sends too much.
    mutating func countListed(_ octets: Int, from account: AccountID) throws(SyntaxError) {
        var isTooLong = false
        if case .listing(var listing) = self.running {
            // Held once, or a change would copy all parts.
            self.running = .nothing
            listing.octets += octets + Listing.octetsOfFolder
            isTooLong = listing.octets > Listing.maximumTotalOctets
            self.running = .listing(listing)
        }
        self.collect(of: account) { part in
            part.octets += octets
            isTooLong = isTooLong || part.octets > Listing.maximumOctets
        }
        guard !isTooLong else { throw SyntaxError(.lineTooLong, at: octets) }
    }

    /// - Parameter octets: of the whole response.
    mutating func listingReceived(
        _ list: ListResponse,
        octets: Int,
        isLsub: Bool,
        from account: AccountID
    ) throws(SyntaxError) {
        try self.countListed(octets, from: account)
        let access = self.access(to: account)
        let isOwner = access.isOwner && self.isListedForOwner(account)
        guard let names = self.upstreams[account]?.names,
            let folder = isOwner
                ? names.folder(named: list.mailbox) : names.folder(listedAs: list.mailbox)
        else { return self.reportOmitted(list.mailbox, from: account) }
        self.collect(of: account) { part in
            switch part.step {
            case .folders where !isLsub:
                if list.isMailbox {
                    part.listing?.add(folder, isVisible: !access.rights(in: folder).isEmpty)
                }
                part.folders.append(folder, attributes: list.attributes)
            case .subscriptions where isLsub:
                // Other users read them later, from what is kept: rights count when they are shown.
                let isCertain = !list.attributes.contains { $0.equals(word: "\\Noselect") }
                part.subscriptions.insert(folder, isCertain: isCertain)
            default:
                break
            }
        }
    }

    private func isListedForOwner(_ account: AccountID) -> Bool {
        guard case .listing(let listing) = self.running else { return false }
        return listing.parts.first { $0.view.account == account }?.isOwner ?? false
    }

    mutating func listingStatusReceived(
        _ status: StatusResponse,
        folder: FolderPath,
        from account: AccountID
    ) throws(SyntaxError) {
        try self.countListed(status.mailbox.readableBytes, from: account)
        var status = status
        // Octets of its own: a slice would keep the whole response.
        status.mailbox = ByteBuffer(bytes: status.mailbox.readableBytesView)
        if case .listing(let listing) = self.running, let items = listing.list.returnsStatus,
            items.contains(.highestModSeq), !self.has("CONDSTORE", in: account)
        {
            status.setNoModSeq(in: items)
        }
        self.collect(of: account) { part in part.counts.updateValue(status, forKey: folder) }
    }

    /// The server told the identifier of a mailbox that it lists.
    mutating func listingIdentified(
        _ identifier: ByteBuffer,
        folder: FolderPath,
        from account: AccountID
    ) throws(SyntaxError) {
        try self.countListed(identifier.readableBytes + folder.octets.count, from: account)
        self.collect(of: account) { part in part.listing?.identify(folder, as: identifier) }
    }

    /// The server answered one of the listing's commands; the next is sent, or the part is done.
    mutating func listingCompleted(_ account: AccountID, condition: Condition) {
        self.updatePart(of: account) { session, listing, part in
            switch part.step {
            case .folders:
                guard condition == .ok else {
                    part.step = .failed
                    return
                }
                session.listingFoldersCompleted(listing, part: &part)
            case .subscriptions:
                // An empty answer would tell the client that it has no subscriptions.
                guard condition == .ok || !listing.list.selectsSubscribed else {
                    part.step = .failed
                    return
                }
                if condition == .ok { session.keepFolders(of: part, part.subscriptions) }
                session.beginCounts(listing, part: &part)
            case .counts:
                session.countNext(listing, part: &part)
            case .lookingUp, .waitingForUpstream:
                // Something else ran on this connection; now it is free.
                break
            case .complete, .failed:
                break
            }
        }
        self.listingUpstreamReady(account)
        self.completeListing()
    }

    private mutating func listingFoldersCompleted(_ listing: Listing, part: inout Listing.Part) {
        if !self.access(to: part.view.account).isOwner {
            let list = part.listing?.finished(during: self.commandNumber)
            self.upstreams[part.view.account]?.folders = list
            part.aliases = list?.aliases ?? OctetStringSet()
        }
        part.listing = nil
        self.keepFolders(of: part, nil)
        guard listing.needsSubscriptions, self.subscriptionBase(of: part.view).isOnServer else {
            return self.beginCounts(listing, part: &part)
        }
        part.step = .subscriptions
        var encoder = self.encoder(for: part.view.account)
        encoder.write(word: "LSUB \"\" \"*\"")
        self.send(encoder, for: &part)
    }

    /// STATUS as a part of LIST is asked folder by folder, where the user may read (RFC 5819 §2).
    private mutating func beginCounts(_ listing: Listing, part: inout Listing.Part) {
        guard listing.list.returnsStatus != nil else {
            part.step = .complete
            return
        }
        part.uncounted = part.folders.count
        part.step = .counts
        self.countNext(listing, part: &part)
    }

    private mutating func countNext(_ listing: Listing, part: inout Listing.Part) {
        let account = part.view.account
        guard let items = listing.list.returnsStatus, self.upstreams[account] != nil else {
            part.step = .failed
            return
        }
        part.counting = nil
        var octets = ListAnswer.octetsPerPiece
        while part.uncounted > 0, part.asked < Listing.maximumCounts {
            guard octets > 0 else { return self.yieldLoop() }
            part.uncounted -= 1
            octets -= ListAnswer.octetsOfName
            guard let folder = part.folders.path(at: part.uncounted) else { continue }
            octets -= folder.octets.count * listing.patternCost
            guard self.isCounted(folder, at: part.uncounted, listing: listing, part: part),
                let name = self.upstreams[account]?.names.name(of: folder)
            else { continue }
            part.counting = folder
            part.asked += 1
            let asked = self.items(
                of: Status(mailbox: ClientMailbox(wire: name), items: items),
                in: account
            )
            guard !asked.items.isEmpty else { break }
            var encoder = self.encoder(for: account)
            asked.encode(into: &encoder, mailbox: name)
            return self.send(encoder, for: &part)
        }
        part.step = .complete
    }

    private mutating func isCounted(
        _ folder: FolderPath,
        at index: Int,
        listing: Listing,
        part: Listing.Part
    ) -> Bool {
        guard !part.aliases.contains(folder),
            self.rights(in: folder, of: part.view.account).contains([.lookup, .read]),
            !part.folders.attributes(at: index).contains(where: { $0.equals(word: "\\Noselect") })
        else { return false }
        let name = self.namespace.name(of: folder, in: part.view)
        return listing.patterns.contains { $0.matches(name) }
    }

    mutating func listingUpstreamLost(_ account: AccountID) {
        self.updatePart(of: account) { session, listing, part in
            switch part.step {
            case .waitingForUpstream, .folders, .subscriptions, .counts:
                session.giveUp(listing, part: &part)
            case .lookingUp, .complete, .failed:
                break
            }
        }
        self.completeListing()
    }

    /// Adds to one account's part, in place: nothing else may hold it, or each line of an answer
    /// would copy all that came before it.
    private mutating func collect(
        of account: AccountID,
        _ change: (inout Listing.Part) -> Void
    ) {
        guard case .listing(var listing) = self.running,
            let index = listing.parts.firstIndex(where: { $0.view.account == account })
        else { return }
        self.running = .nothing
        change(&listing.parts[index])
        self.running = .listing(listing)
    }

    /// Changes one account's part of the listing that runs.
    mutating func updatePart(
        of account: AccountID,
        _ change: (inout ClientSession, Listing, inout Listing.Part) -> Void
    ) {
        guard case .listing(var listing) = self.running,
            let index = listing.parts.firstIndex(where: { $0.view.account == account })
        else { return }
        var part = listing.parts[index]
        // Held once, or each change would copy all that came before it, and every other account's part.
        self.running = .nothing
        listing.parts[index] = Listing.Part(view: part.view, step: part.step)
        self.running = .listing(listing)
        change(&self, consume listing, &part)
        guard case .listing(var changed) = self.running else { return }
        self.running = .nothing
        changed.parts[index] = part
        self.running = .listing(changed)
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

    private mutating func continueCounting(_ listing: Listing) {
        let waiting = listing.parts.filter { $0.step == .counts && $0.counting == nil }
        guard !waiting.isEmpty else { return }
        for part in waiting where self.upstreams[part.view.account]?.isIdle ?? false {
            self.updatePart(of: part.view.account) { $0.countNext($1, part: &$2) }
        }
        self.completeListing()
    }
}
