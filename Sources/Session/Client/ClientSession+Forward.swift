import Access
import IMAP

import struct NIOCore.ByteBuffer

extension ClientSession {
    /// Sends a command without arguments.
    mutating func forward(_ tag: ByteBuffer, account: AccountID, name: StaticString) {
        var encoder = self.encoder(for: account)
        encoder.write(word: name)
        self.forward(tag, account: account, name: StaticText(stringLiteral: name), encoder: encoder)
    }

    /// Sends an encoded command.
    mutating func forward(
        _ tag: ByteBuffer,
        account: AccountID,
        name: StaticText,
        encoder: CommandEncoder,
        configure: (Forwarding) -> Void = { _ in }
    ) {
        var encoder = encoder
        var segments = encoder.finish()
        guard !segments.isEmpty else { return self.finish(tag, text: .unavailable) }
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
        fetch: Fetch,
        selected: Selected,
        rights: Rights
    ) {
        let mustPeek = !rights.contains(.seen) && !selected.isReadOnlyUpstream && fetch.setsSeen
        let sent = mustPeek ? fetch.peeking() : fetch
        var encoder = self.encoder(for: selected.account)
        sent.encode(into: &encoder)
        self.forward(tag, account: selected.account, name: "FETCH", encoder: encoder) {
            $0.renamesItems = mustPeek && fetch.usesWholeMessageItems
            $0.fetchesText = fetch.asksText
        }
    }

    mutating func store(
        _ tag: ByteBuffer,
        store: StoreFlags,
        selected: Selected,
        rights: Rights
    ) {
        guard rights.contains(.seen) || !Quirks.marksReadSilently(store) else {
            return self.finish(tag, text: .completed("STORE"))
        }
        guard !selected.isReadOnlyUpstream else { return self.finish(tag, text: .notPermitted) }
        let steps = Flags.permitted(store, rights: rights, known: selected.flags)
        guard !steps.isEmpty else { return self.finish(tag, text: .notPermitted) }
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
        selected: Selected,
        rights: Rights,
        set: SequenceSet?
    ) {
        guard rights.contains(.expunge), !selected.isReadOnlyUpstream else {
            return self.finish(tag, text: .notPermitted)
        }
        var encoder = self.encoder(for: selected.account)
        encoder.write(word: set == nil ? "EXPUNGE" : "UID EXPUNGE")
        if let set = set { set.encode(into: &encoder) }
        self.forward(tag, account: selected.account, name: "EXPUNGE", encoder: encoder)
    }

    /// COPY and MOVE: `i` on the target, and for MOVE `t` and `e` on the source
    /// (RFC 4314 §4, RFC 6851 §4.2).
    mutating func copy(
        _ tag: ByteBuffer,
        copy: Copy,
        command: Command,
        selected: Selected,
        rights: Rights,
        moves: Bool
    ) {
        let resolved = self.resolve(copy.mailbox)
        guard case .folder(let account, let folder, let targetRights) = resolved else {
            let isEmptyInbox = self.isEmptyInbox(copy.mailbox)
            return self.finish(tag, text: isEmptyInbox ? .notPermitted : .noSuchMailbox)
        }
        guard targetRights.contains(.insert) else { return self.finish(tag, text: .notPermitted) }
        if moves, !rights.contains([.deleteMessages, .expunge]) || selected.isReadOnlyUpstream {
            return self.finish(tag, text: .notPermitted)
        }
        let isOther = account != selected.account
        let located = self.locate(folder, in: account, for: tag, command: command)
        guard case .name(let name) = located else {
            guard case .missing = located else { return }
            return self.finish(tag, text: self.missingTarget(folder, in: account))
        }
        let mayCreate = self.mayCreate(folder, in: account)
        let hasMove = self.upstreams[account]?.profile.has("MOVE") ?? false
        // What STATUS tells of the selected mailbox may be out of date (RFC 9051 §6.3.11): an original could be taken
        // for a copy that has to go.
        guard isOther || !moves || hasMove || folder != selected.folder else {
            return self.finish(tag, text: .lacking("MOVE"))
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
        self.forward(tag, account: account, name: moves ? "MOVE" : "COPY", encoder: encoder) {
            $0.completion = .copied(to: folder)
        }
    }
}
