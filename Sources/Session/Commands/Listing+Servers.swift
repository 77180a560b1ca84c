import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The folders of one account, as its server lists them.
extension Listing {
    /// Asks an account's server for its folders, as soon as it is there.
    func ask(_ account: AccountID, in context: inout some CommandContext) {
        guard let part = self.part(of: account), part.step == .waitingForUpstream else { return }
        guard let upstream = context.upstream(of: account) else { return context.open(account) }
        guard upstream.isIdle else { return }
        part.step = .folders
        var encoder = context.encoder(for: account)
        encoder.write(word: "LIST \"\" \"*\"")
        let isOwner = context.access(to: account).isOwner
        // What was known for an owner is not for others.
        if part.isOwner != isOwner { part.known.folders = nil }
        part.isOwner = isOwner
        let hasIdentifiers = upstream.profile.hasListedIdentifiers && !part.isOwner
        part.listing = part.isOwner ? nil : FolderListing(hasIdentifiers: hasIdentifiers)
        upstream.profile.writeListOptions(identifiers: hasIdentifiers, into: &encoder)
        self.send(encoder, for: part, in: &context)
    }

    func send(
        _ encoder: CommandEncoder,
        for part: ListingPart,
        in context: inout some CommandContext
    ) {
        var encoder = encoder
        part.segments = encoder.finish()
        guard !part.segments.isEmpty else { return }
        context.send(part.segments.removeFirst(), to: part.account)
    }

    /// A server lists a folder, or a subscription.
    func listed(
        _ list: ListResponse,
        isLsub: Bool,
        by account: AccountID,
        in context: inout some CommandContext
    ) {
        let access = context.access(to: account)
        let part = self.part(of: account)
        let isOwner = access.isOwner && part?.isOwner ?? false
        guard let names = context.upstream(of: account)?.names,
            let folder = isOwner
                ? names.folder(named: list.mailbox) : names.folder(listedAs: list.mailbox)
        else { return context.reportOmitted(list.mailbox, from: account) }
        switch part?.step {
        case .folders where !isLsub:
            if list.isMailbox {
                part?.listing?.add(folder, isVisible: !access.rights(in: folder).isEmpty)
            }
            part?.folders.append(folder, attributes: list.attributes)
        case .subscriptions where isLsub:
            // Other users read them later, from what is kept: rights count when they are shown.
            let isCertain = !list.attributes.contains { $0.equals(word: "\\Noselect") }
            part?.subscriptions.insert(folder, isCertain: isCertain)
        case .lookingUp, .waitingForUpstream, .folders, .subscriptions, .counts, .complete,
            .failed, nil:
            break
        }
    }

    /// The server told the identifier of a mailbox that it lists, or the counts of one.
    ///
    /// - Returns: whether that was asked for.
    func statusReceived(
        _ status: StatusResponse,
        of folder: FolderPath,
        from account: AccountID,
        in context: inout some CommandContext
    ) throws(SyntaxError) -> Bool {
        guard let part = self.part(of: account) else { return false }
        if let identifier = status.mailboxIdentifier, part.step == .folders {
            try self.count(octets: identifier.readableBytes + folder.octets.count, from: account)
            part.listing?.identify(folder, as: identifier)
            return true
        }
        guard part.counting == folder else { return false }
        try self.count(octets: status.mailbox.readableBytes, from: account)
        self.counted(status, of: folder, part: part, in: &context)
        return true
    }

    /// Whether an account's server is telling its folders and the identifiers of their mailboxes.
    func identifies(_ account: AccountID) -> Bool { self.part(of: account)?.step == .folders }

    // MARK: - The end

    /// The server answered one of the listing's commands; the next is sent, or the part is done.
    func completed(
        _ condition: Condition,
        by account: AccountID,
        in context: inout some CommandContext
    ) {
        if let part = self.part(of: account) {
            self.completed(condition, part: part, in: &context)
        }
        self.ask(account, in: &context)
        self.complete(in: &context)
    }

    private func completed(
        _ condition: Condition,
        part: ListingPart,
        in context: inout some CommandContext
    ) {
        switch part.step {
        case .folders:
            guard condition == .ok else {
                part.step = .failed
                return
            }
            self.foldersCompleted(part, in: &context)
        case .subscriptions:
            // An empty answer would tell the client that it has no subscriptions.
            guard condition == .ok || !self.request.list.selectsSubscribed else {
                part.step = .failed
                return
            }
            if condition == .ok { self.keepFolders(of: part, part.subscriptions, in: &context) }
            self.beginCounts(part, in: &context)
        case .counts:
            self.countNext(part, in: &context)
        case .lookingUp, .waitingForUpstream:
            // Something else ran on this connection; now it is free.
            break
        case .complete, .failed:
            break
        }
    }

    private func foldersCompleted(_ part: ListingPart, in context: inout some CommandContext) {
        if !context.access(to: part.account).isOwner {
            let list = part.listing?.finished(during: context.commandNumber)
            context.upstream(of: part.account)?.folders = list
            part.aliases = list?.aliases ?? OctetStringSet()
        }
        part.listing = nil
        self.keepFolders(of: part, nil, in: &context)
        guard self.request.needsSubscriptions, context.subscriptionBase(of: part.view).isOnServer
        else { return self.beginCounts(part, in: &context) }
        part.step = .subscriptions
        var encoder = context.encoder(for: part.account)
        encoder.write(word: "LSUB \"\" \"*\"")
        self.send(encoder, for: part, in: &context)
    }
}
