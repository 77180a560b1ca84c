import Access
import IMAP

import struct NIOCore.ByteBuffer

extension ClientSession {
    /// Sends a command without arguments.
    mutating func forward(_ tag: ByteBuffer, _ account: AccountID, _ name: StaticString) {
        var encoder = self.encoder(for: account)
        encoder.write(word: name)
        self.forward(tag, account, StaticText(stringLiteral: name), encoder)
    }

    /// Sends an encoded command.
    mutating func forward(
        _ tag: ByteBuffer,
        _ account: AccountID,
        _ name: StaticText,
        _ encoder: CommandEncoder,
        _ configure: (Forwarding) -> Void = { _ in }
    ) {
        var encoder = encoder
        var segments = encoder.finish()
        guard !segments.isEmpty else { return self.finish(tag, .unavailable) }
        let first = segments.removeFirst()
        let forwarding = Forwarding(tag: tag, account: account, name: name, segments: segments)
        forwarding.enablesModSeqs = self.commandEnablesModSeqs
        configure(forwarding)
        self.running = .forwarding(forwarding)
        self.actions.append(.toUpstream(account, first))
    }

    // MARK: - On the selected mailbox

    /// Without the right to set `\Seen`, bodies are asked for in the form that does not set it.
    mutating func fetch(
        _ tag: ByteBuffer,
        _ fetch: Fetch,
        _ selected: Selected,
        _ rights: Rights
    ) {
        let mustPeek = !rights.contains(.seen) && !selected.isReadOnlyUpstream && fetch.setsSeen
        let sent = mustPeek ? fetch.peeking() : fetch
        var encoder = self.encoder(for: selected.account)
        sent.encode(into: &encoder)
        self.forward(tag, selected.account, "FETCH", encoder) {
            $0.renamesItems = mustPeek && fetch.usesWholeMessageItems
            $0.fetchesText = fetch.asksText
        }
    }

    mutating func store(
        _ tag: ByteBuffer,
        _ store: StoreFlags,
        _ selected: Selected,
        _ rights: Rights
    ) {
        guard rights.contains(.seen) || !Quirks.marksReadSilently(store) else {
            return self.finish(tag, .completed("STORE"))
        }
        guard !selected.isReadOnlyUpstream else { return self.finish(tag, .notPermitted) }
        let steps = Flags.permitted(store, rights, known: selected.flags)
        guard !steps.isEmpty else { return self.finish(tag, .notPermitted) }
        var encoded: [(tag: ByteBuffer, segments: [ByteBuffer])] = []
        for step in steps {
            var encoder = self.encoder(for: selected.account)
            step.encode(into: &encoder)
            let upstreamTag = self.upstreams[selected.account]?.inFlight ?? ByteBuffer()
            encoded.append((upstreamTag, encoder.finish()))
        }
        let first = encoded.removeFirst()
        self.upstreams[selected.account]?.inFlight = first.tag
        var segments = first.segments
        let opening = segments.removeFirst()
        let forwarding = Forwarding(
            tag: tag,
            account: selected.account,
            name: "STORE",
            segments: segments
        )
        forwarding.followUps = encoded
        forwarding.enablesModSeqs = self.commandEnablesModSeqs
        forwarding.followUpRights = rights.intersection(.changingSelected)
        self.running = .forwarding(forwarding)
        self.actions.append(.toUpstream(selected.account, opening))
    }

    mutating func expunge(
        _ tag: ByteBuffer,
        _ selected: Selected,
        _ rights: Rights,
        _ set: SequenceSet?
    ) {
        guard rights.contains(.expunge), !selected.isReadOnlyUpstream else {
            return self.finish(tag, .notPermitted)
        }
        var encoder = self.encoder(for: selected.account)
        encoder.write(word: set == nil ? "EXPUNGE" : "UID EXPUNGE")
        if let set = set { set.encode(into: &encoder) }
        self.forward(tag, selected.account, "EXPUNGE", encoder)
    }

    /// COPY and MOVE: `i` on the target, and for MOVE `t` and `e` on the source
    /// (RFC 4314 §4, RFC 6851 §4.2).
    mutating func copy(
        _ tag: ByteBuffer,
        _ copy: Copy,
        _ command: Command,
        _ selected: Selected,
        _ rights: Rights,
        moves: Bool
    ) {
        let resolved = self.resolve(copy.mailbox)
        guard case .folder(let account, let folder, let targetRights) = resolved else {
            let isEmptyInbox = self.isEmptyInbox(copy.mailbox)
            return self.finish(tag, isEmptyInbox ? .notPermitted : .noSuchMailbox)
        }
        guard targetRights.contains(.insert) else { return self.finish(tag, .notPermitted) }
        if moves, !rights.contains([.deleteMessages, .expunge]) || selected.isReadOnlyUpstream {
            return self.finish(tag, .notPermitted)
        }
        let isOther = account != selected.account
        let located = self.locate(folder, in: account, for: tag, command)
        guard case .name(let name) = located else {
            guard case .missing = located else { return }
            return self.finish(tag, self.missingTarget(folder, in: account))
        }
        let mayCreate = self.mayCreate(folder, in: account)
        let hasMove = self.upstreams[account]?.profile.has("MOVE") ?? false
        // What STATUS tells of the selected mailbox may be out of date (RFC 9051 §6.3.11): an original could be taken
        // for a copy that has to go.
        guard isOther || !moves || hasMove || folder != selected.folder else {
            return self.finish(tag, .lacking("MOVE"))
        }
        // Where the server has no MOVE, the gateway copies, and removes the originals under its journal.
        guard !isOther, !moves || hasMove else {
            return self.transfer(
                Transferring(
                    tag: tag,
                    moves: moves,
                    copy: copy,
                    from: selected,
                    to: account,
                    folder,
                    name: name,
                    rights: targetRights,
                    mayCreate: mayCreate
                )
            )
        }
        var encoder = self.encoder(for: account)
        copy.encode(into: &encoder, command: moves ? "MOVE" : "COPY", mailbox: name)
        self.forward(tag, account, moves ? "MOVE" : "COPY", encoder) {
            $0.completion = .copied(to: folder)
        }
    }

    // MARK: - On a mailbox that is named

    mutating func status(
        _ tag: ByteBuffer,
        _ status: Status,
        _ command: Command
    ) {
        self.onNamed(tag, status.mailbox, .read, command, []) { session, account, folder, name in
            let asked = session.items(of: status, in: account)
            guard !asked.items.isEmpty else {
                let lacking = status.items.lazy.compactMap(\.needs).first
                return session.finish(tag, lacking.map(ReplyText.lacking) ?? .cannotOnThisServer)
            }
            var encoder = session.encoder(for: account)
            asked.encode(into: &encoder, mailbox: name)
            let tellsNoModSeq = session.tellsNoModSeq(on: status, in: account)
            session.forward(tag, account, "STATUS", encoder) {
                $0.statusItems = tellsNoModSeq ? status.items : nil
                $0.expected = .status
                $0.mailbox = status.mailbox.wire
                $0.folder = folder
                $0.repeatable = command
            }
        }
    }

    /// DELETE needs `x` on the folder and on everything below it, there or not: some servers delete that too.
    mutating func delete(_ tag: ByteBuffer, _ mailbox: ClientMailbox, _ command: Command) {
        if mailbox.name?.octets.elementsEqual("INBOX".utf8) ?? false {
            return self.finish(tag, .cannotChangeInbox)
        }
        if case .success(let (account, folder, _)) = self.require(.deleteMailbox, on: mailbox) {
            guard self.access(to: account).mayDelete(folder) else {
                return self.finish(tag, .notPermitted)
            }
            // Where the account's folders have the prefix INBOX., all of them lie below it on the server.
            guard !folder.isInbox else { return self.finish(tag, .cannotChangeInbox) }
        }
        self.onNamed(tag, mailbox, .deleteMailbox, command, []) { session, account, _, name in
            var encoder = session.encoder(for: account)
            encoder.write(word: "DELETE")
            encoder.write(mailbox: name)
            session.forward(tag, account, "DELETE", encoder) { $0.completion = .foldersChanged }
        }
    }

    /// Resolves a mailbox, gets its server ready, and goes on with its name there.
    private mutating func onNamed(
        _ tag: ByteBuffer,
        _ mailbox: ClientMailbox,
        _ rights: Rights,
        _ command: Command,
        _ needs: [String],
        _ proceed: (inout ClientSession, AccountID, FolderPath, ByteBuffer) -> Void
    ) {
        switch self.require([rights, .lookup], on: mailbox) {
        case .failure(let refusal):
            self.finish(tag, refusal.text)
        case .success(let (account, folder, _)):
            let located = self.locate(folder, in: account, for: tag, command, needs: needs)
            guard case .name(let name) = located else {
                guard case .missing = located else { return }
                return self.finish(tag, .noSuchMailbox)
            }
            proceed(&self, account, folder, name)
        }
    }

    /// CREATE needs `k` on the parent (RFC 4314 §4), and on an account's top level on the account.
    mutating func create(
        _ tag: ByteBuffer,
        _ create: Create,
        _ command: Command,
        _ needs: [String]
    ) {
        guard let name = create.mailbox.name,
            case .folder(let account, let folder) = self.namespace.place(of: name.withoutTrailing)
        else { return self.finish(tag, .noSuchMailbox) }
        guard self.mayCreate(folder, in: account) else {
            let isSeen = self.isSeen(folder, in: account)
            return self.finish(tag, isSeen ? .notPermitted : .noSuchMailbox)
        }
        // The gateway itself files into the folder with `\\Sent`, and mail programs into others.
        guard create.uses.isEmpty || self.access(to: account).isOwner else {
            return self.finish(tag, .notPermitted)
        }
        guard self.isParentThere(of: folder, in: account, for: tag, command, needs) else { return }
        guard let upstreamName = self.newName(of: folder, in: account) else {
            return self.finish(tag, .cannotHaveName)
        }
        var encoder = self.encoder(for: account)
        create.encode(into: &encoder, mailbox: upstreamName)
        self.forward(tag, account, "CREATE", encoder) { $0.completion = .foldersChanged }
    }

    /// Gets an account's server ready and looks for the folder below which one is to be created.
    /// - Returns: false where the command is answered, or waits.
    private mutating func isParentThere(
        of folder: FolderPath,
        in account: AccountID,
        for tag: ByteBuffer,
        _ command: Command,
        _ needs: [String] = []
    ) -> Bool {
        guard let parent = folder.parent else {
            return self.prepare(account, tag, command, needs)
        }
        switch self.locate(parent, as: .parent, in: account, for: tag, command, needs: needs) {
        case .name:
            // Where nothing is listed below INBOX, what is there may be hidden: the names of an alias, whose
            // folders are elsewhere in the account.
            guard
                self.access(to: account).isOwner || !folder.isBelowInbox
                    || self.upstreams[account]?.folders?.hasBelowInbox ?? false
            else {
                self.finish(tag, .notPermitted)
                return false
            }
            return true
        case .missing:
            self.finish(tag, .noSuchMailbox)
            return false
        case .answeredOrDeferred:
            return false
        }
    }

    mutating func rename(_ tag: ByteBuffer, _ rename: Rename, _ command: Command) {
        guard
            case .success(let (account, source, _)) = self.require(.deleteMailbox, on: rename.from)
        else {
            guard case .failure(let refusal) = self.require(.deleteMailbox, on: rename.from) else {
                return
            }
            return self.finish(tag, refusal.text)
        }
        // A delimiter behind a name announces folders below it, and only in CREATE (RFC 9051 §6.3.4).
        guard !(rename.to.name?.octets.last == Namespace.delimiter) else {
            return self.finish(tag, .cannotHaveName)
        }
        guard let name = rename.to.name,
            case .folder(let target, let folder) = self.namespace.place(of: name)
        else { return self.finish(tag, .noSuchMailbox) }
        guard self.mayCreate(folder, in: target) else {
            let isSeen = self.isSeen(folder, in: target)
            return self.finish(tag, isSeen ? .notPermitted : .noSuchMailbox)
        }
        guard target == account else { return self.finish(tag, .cannotAcrossAccounts) }
        guard self.access(to: account).mayMove(source, to: folder) else {
            return self.finish(tag, .notPermitted)
        }
        let located = self.locate(source, in: account, for: tag, command)
        guard case .name(let from) = located else {
            guard case .missing = located else { return }
            return self.finish(tag, .noSuchMailbox)
        }
        guard self.isParentThere(of: folder, in: account, for: tag, command) else { return }
        guard let to = self.newName(of: folder, in: account) else {
            return self.finish(tag, .cannotHaveName)
        }
        var encoder = self.encoder(for: account)
        encoder.write(word: "RENAME")
        encoder.write(mailbox: from)
        encoder.write(mailbox: to)
        self.forward(tag, account, "RENAME", encoder) { $0.completion = .foldersChanged }
    }

    /// The server's name of a folder that is to be made. Nobody makes a name that is no modified UTF-7.
    private func newName(of folder: FolderPath, in account: AccountID) -> ByteBuffer? {
        guard !UpstreamNames.endsInEscapes(folder) else { return nil }
        return self.upstreams[account]?.names.name(of: folder)
    }

    mutating func mayCreate(_ folder: FolderPath, in account: AccountID) -> Bool {
        let access = self.access(to: account)
        guard let parent = folder.parent else {
            return access.coversAccount.contains(.createMailbox)
        }
        return access.rights(in: parent).contains(.createMailbox)
    }

    /// Whether the user may know whether a folder is there: it, or its parent, is listed.
    private mutating func isSeen(_ folder: FolderPath, in account: AccountID) -> Bool {
        let access = self.access(to: account)
        if access.rights(in: folder).contains(.lookup) { return true }
        guard let parent = folder.parent else { return access.coversAccount.contains(.lookup) }
        return access.rights(in: parent).contains(.lookup)
    }

    // MARK: - Quota of one's own account

    mutating func getQuota(
        _ tag: ByteBuffer,
        _ root: ByteBuffer,
        _ command: Command,
        _ needs: [String]
    ) {
        guard let account = self.namespace.personal, self.access(to: account).isOwner else {
            return self.finish(tag, .notPermitted)
        }
        guard self.prepare(account, tag, command, needs) else { return }
        var encoder = self.encoder(for: account)
        encoder.write(word: "GETQUOTA")
        encoder.write(astring: root)
        self.forward(tag, account, "GETQUOTA", encoder) { $0.expected = .quota }
    }

    mutating func getQuotaRoot(
        _ tag: ByteBuffer,
        _ mailbox: ClientMailbox,
        _ command: Command,
        _ needs: [String]
    ) {
        if case .folder(let account, _, _) = self.resolve(mailbox),
            !self.access(to: account).isOwner
        {
            return self.finish(tag, .notPermitted)
        }
        self.onNamed(tag, mailbox, .read, command, needs) { session, account, _, name in
            var encoder = session.encoder(for: account)
            encoder.write(word: "GETQUOTAROOT")
            encoder.write(mailbox: name)
            session.forward(tag, account, "GETQUOTAROOT", encoder) {
                $0.expected = .quota
                $0.mailbox = mailbox.wire
                $0.repeatable = command
            }
        }
    }
}
