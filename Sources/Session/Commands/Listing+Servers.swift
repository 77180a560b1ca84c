import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The LIST and LSUB commands to the server of one account.
extension Listing {
    /// Sends LIST to an account's server once it is ready, and connects if necessary.
    func ask(_ account: AccountID, in context: inout some CommandContext) {
        guard let part = self.part(of: account), part.step == .waitingForUpstream else { return }
        guard let upstream = context.upstream(of: account) else { return context.open(account) }
        guard upstream.isIdle else { return }
        part.step = .folders
        var encoder = context.encoder(for: account)
        encoder.write(word: "LIST \"\" \"*\"")
        let isOwner = context.access(to: account).isOwner
        // Folders that were cached for the owner must not be shown to others.
        if part.isOwner != isOwner { part.known.folders = nil }
        part.isOwner = isOwner
        let hasIdentifiers = upstream.profile.hasListedIdentifiers && !part.isOwner
        part.listing = part.isOwner ? nil : FolderListing(hasIdentifiers: hasIdentifiers)
        upstream.profile.writeListOptions(identifiers: hasIdentifiers, into: &encoder)
        self.send(encoder, for: part, in: &context)
    }

    /// Sends the first segment of a command; the others wait for continuation requests.
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

    /// The server sent a LIST or LSUB response. A name without a path is omitted and logged.
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
            // All names are cached for other users; their rights are checked when the names are shown.
            let isCertain = !list.attributes.contains { $0.equals(word: "\\Noselect") }
            part?.subscriptions.insert(folder, isCertain: isCertain)
        case .lookingUp, .waitingForUpstream, .folders, .subscriptions, .counts, .complete,
            .failed, nil:
            break
        }
    }

    /// The server sent STATUS, with the MAILBOXID of a listed mailbox or with requested counts.
    ///
    /// - Returns: whether this listing requested it.
    /// - Throws: if the server exceeds ``ListLimits``.
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

    /// Whether LIST, which may return MAILBOXID, is in flight at an account's server.
    func identifies(_ account: AccountID) -> Bool { self.part(of: account)?.step == .folders }

    // MARK: - The end

    /// The server completed the command of a part: sends the next one, or completes the part.
    func completed(
        _ condition: Condition,
        part: ListingPart,
        in context: inout some CommandContext
    ) {
        if self.lacksChoices {
            part.step = .failed
        } else {
            self.advance(part, after: condition, in: &context)
        }
        self.complete(in: &context)
    }

    /// Advances a part after a command of its server.
    private func advance(
        _ part: ListingPart,
        after condition: Condition,
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
            // An empty answer would mean to the client that it has no subscriptions.
            guard condition == .ok || !self.request.list.selectsSubscribed else {
                part.step = .failed
                return
            }
            if condition == .ok {
                self.keepFolders(of: part, subscriptions: part.subscriptions, in: &context)
            }
            self.beginCounts(part, in: &context)
        case .counts:
            self.countNext(part, in: &context)
        case .lookingUp, .waitingForUpstream, .complete, .failed:
            break
        }
    }

    /// LIST is complete: stores the folder list, then asks for subscriptions or counts if needed.
    private func foldersCompleted(_ part: ListingPart, in context: inout some CommandContext) {
        if !context.access(to: part.account).isOwner {
            let list = part.listing?.finished(during: context.commandNumber)
            context.upstream(of: part.account)?.folders = list
            part.aliases = list?.aliases ?? OctetStringSet()
        }
        part.listing = nil
        self.keepFolders(of: part, subscriptions: nil, in: &context)
        guard self.request.needsSubscriptions, context.subscriptionBase(of: part.view).isOnServer
        else { return self.beginCounts(part, in: &context) }
        part.step = .subscriptions
        var encoder = context.encoder(for: part.account)
        encoder.write(word: "LSUB \"\" \"*\"")
        self.send(encoder, for: part, in: &context)
    }
}
