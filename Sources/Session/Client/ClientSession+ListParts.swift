import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The part of one account in a LIST that runs: its folders, as its server lists them.
extension ClientSession {
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

    mutating func send(_ encoder: CommandEncoder, for part: inout Listing.Part) {
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
    mutating func collect(
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
}
