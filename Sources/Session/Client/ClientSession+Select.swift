import Access
import IMAP

import struct NIOCore.ByteBuffer

/// A SELECT or EXAMINE on its way.
struct Selecting {
    var tag: ByteBuffer
    var command: Command
    var account: AccountID
    var folder: FolderPath
    /// What was open on the same connection, of which there may be news until the server answers.
    var left: FolderPath?
    /// Whether the client asked for EXAMINE.
    var isExamine: Bool
    var isReadOnlyUpstream: Bool
    var segments: [ByteBuffer]
    /// Whether the client is told that the mailbox has no mod-sequences, whatever its server says.
    var tellsNoModSeq: Bool
    /// Whether the server has CONDSTORE enabled once it has opened the mailbox.
    var enablesModSeqs: Bool
    var flags: [ByteBuffer] = []
    var uidValidity: UInt32?
}

extension Rights {
    /// Rights whose use a server can only carry out in a mailbox that is open for writing.
    static let changingSelected: Rights = [.seen, .write, .deleteMessages, .expunge]
    /// Rights that make a mailbox `READ-WRITE` (RFC 4314 §5.2).
    static let changingShared: Rights = [.changingSelected, .insert]
}

extension ClientSession {
    /// The mailbox the client has selected.
    struct Selected {
        var account: AccountID
        var folder: FolderPath
        /// Whether the server has it open read-only (EXAMINE).
        var isReadOnlyUpstream: Bool
        /// Nil where the server has no UIDs that last.
        var uidValidity: UInt32?
        /// Whether the client was told that the mailbox has no mod-sequences, whatever its server says.
        var tellsNoModSeq: Bool
        /// The mailbox's flags as the server last listed them, in wire octets.
        var flags: [ByteBuffer] = []
        /// Searches whose changes the server tells, by its tag and the client's.
        var updating: [(upstream: ByteBuffer, client: ByteBuffer)] = []
    }

    mutating func select(
        _ tag: ByteBuffer,
        select: Select,
        command: Command,
        readOnly: Bool
    ) {
        // RFC 7162 §3.2.5; what was selected stays so.
        guard select.resync == nil || self.enabled.contains("QRESYNC") else {
            return self.finish(tag, text: .badNotEnabled)
        }
        // A connection that is being asked for counts cannot leave its mailbox before the answer.
        if let left = self.selected?.account, self.upstreams[left]?.housekeeping == .poll {
            self.running = .preparing(tag: tag, command, left)
            return
        }
        let found = self.require([.lookup, .read], on: select.mailbox)
        guard case .success(let (account, folder, rights)) = found else {
            self.leaveSelected(announce: false)
            guard case .failure(let refusal) = found else { return }
            return self.finish(tag, text: refusal.text)
        }
        if self.selected?.account != account { self.leaveSelected(announce: false) }
        let located = self.locate(folder, in: account, for: tag, command: command)
        guard case .name(let name) = located else {
            guard case .missing = located else { return }
            self.leaveSelected(announce: false)
            return self.finish(tag, text: .noSuchMailbox)
        }
        if self.giveNotify(to: account) {
            self.running = .preparing(tag: tag, command, account)
            return
        }
        let opensReadOnly = readOnly || rights.isDisjoint(with: .changingSelected)
        let tellsNoModSeq = self.tellsNoModSeq(on: select, in: account)
        var asked = tellsNoModSeq ? select.withoutModSeq : select
        if self.enablesModSeqsBySelect(in: account) { asked.condStore = true }
        var encoder = self.encoder(for: account)
        asked.encode(into: &encoder, mailbox: name, readOnly: opensReadOnly)
        let left = self.selected?.folder
        self.selected = nil
        var selecting = Selecting(
            tag: tag,
            command: command,
            account: account,
            folder: folder,
            left: left,
            isExamine: readOnly,
            isReadOnlyUpstream: opensReadOnly,
            segments: encoder.finish(),
            tellsNoModSeq: tellsNoModSeq,
            enablesModSeqs: asked.condStore || asked.resync != nil
        )
        self.actions.append(.toUpstream(account, selecting.segments.removeFirst()))
        self.running = .selecting(selecting)
    }

    /// The server answered SELECT.
    mutating func selectCompleted(
        _ selecting: Selecting,
        condition: Condition,
        code: ResponseCode?
    ) {
        guard condition == .ok else {
            return self.finish(selecting.tag, text: self.refusal(condition, code: code))
        }
        if selecting.enablesModSeqs { self.modSeqsEnabled(in: selecting.account) }
        self.auditReadingEnded()
        let rights = self.rights(in: selecting.folder, of: selecting.account)
        guard rights.contains([.lookup, .read]) else {
            self.drop(selecting.account)
            return self.finish(selecting.tag, text: .notPermitted)
        }
        var isReadOnly = selecting.isExamine || rights.isDisjoint(with: .changingShared)
        if case .readOnly? = code, !selecting.isReadOnlyUpstream { isReadOnly = true }
        self.selected = Selected(
            account: selecting.account,
            folder: selecting.folder,
            isReadOnlyUpstream: selecting.isReadOnlyUpstream,
            uidValidity: selecting.uidValidity,
            tellsNoModSeq: selecting.tellsNoModSeq,
            flags: selecting.flags
        )
        if selecting.tellsNoModSeq { self.emit(Reply.untagged(.status(.noModSeq))) }
        self.finish(selecting.tag, text: .selected(isReadOnly: isReadOnly))
    }

    // MARK: - What the server says of the mailbox

    mutating func selectStatusReceived(_ selecting: Selecting, code: ResponseCode) {
        if case .uidValidity(let value) = code {
            var known = selecting
            known.uidValidity = value
            self.running = .selecting(known)
        }
        if case .permanentFlags(let flags) = code {
            let permitted =
                selecting.isExamine
                ? [] : self.permanentFlags(flags, in: selecting.folder, of: selecting.account)
            return self.emit(Reply.untagged(.status(.permanentFlags(permitted))))
        }
        guard let shown = code.onSelected, !selecting.tellsNoModSeq || !shown.isOfModSeqs else {
            return
        }
        self.emit(Reply.untagged(.status(shown)))
    }

    /// A server may say anew what it said at SELECT: what has changed since, or what it says last of all.
    mutating func selectedStatusReceived(_ selected: Selected, code: ResponseCode) {
        switch code {
        case .uidValidity(let value):
            self.selected?.uidValidity = value
        case .permanentFlags(let flags):
            let permitted =
                selected.isReadOnlyUpstream
                ? [] : self.permanentFlags(flags, in: selected.folder, of: selected.account)
            return self.emit(Reply.untagged(.status(.permanentFlags(permitted))))
        case .readOnly:
            return self.emit(Reply.untagged(.status(.readOnly)))
        default:
            break
        }
        guard let shown = code.onSelected, !selected.tellsNoModSeq || !shown.isOfModSeqs else {
            return
        }
        self.emit(Reply.untagged(.status(shown)))
    }

    /// What the client may change for good, of what the server says (RFC 4314 §5.1.1).
    private mutating func permanentFlags(
        _ flags: [ByteBuffer],
        in folder: FolderPath,
        of account: AccountID
    ) -> [ByteBuffer] {
        let rights = self.rights(in: folder, of: account)
        return flags.filter { Flags.right(for: $0).map(rights.contains) ?? false }
    }

    /// CLOSE and UNSELECT. Without the right to expunge, CLOSE closes and expunges nothing, and is
    /// answered `OK` (RFC 4314 §4).
    mutating func close(
        _ tag: ByteBuffer,
        selected: Selected,
        name: StaticText,
        expunges: Bool
    ) {
        self.auditReadingEnded()
        let account = selected.account
        let hasUnselect = self.upstreams[account]?.profile.has("UNSELECT") ?? false
        self.selected = nil
        let expunges = expunges && !selected.isReadOnlyUpstream
        guard expunges || hasUnselect else {
            self.drop(account)
            return self.finish(tag, text: .completed(name))
        }
        var encoder = self.encoder(for: account)
        encoder.write(word: expunges ? "CLOSE" : "UNSELECT")
        self.forward(tag, account: account, name: name, encoder: encoder)
    }

    /// Lets go of the selected mailbox, so that nothing can act on it any more, and withholds what
    /// its server still says of it.
    ///
    /// - Parameter announce: whether the client has to be told, because it did not ask for it.
    mutating func leaveSelected(announce: Bool) {
        guard let selected = self.selected else { return }
        let account = selected.account
        self.selected = nil
        if announce { self.emit(Reply.untagged(.closed)) }
        guard let upstream = self.upstreams[account], upstream.state == .ready,
            upstream.inFlight == nil, upstream.profile.has("UNSELECT")
        else { return self.drop(account) }
        var encoder = self.encoder(for: account)
        encoder.write(word: "UNSELECT")
        self.upstreams[account]?.housekeeping = .upkeep
        for segment in encoder.finish() { self.actions.append(.toUpstream(account, segment)) }
    }

    /// Closes the connection to an account's server.
    mutating func drop(_ account: AccountID) {
        guard self.upstreams.removeValue(forKey: account) != nil else { return }
        self.actions.append(.closeUpstream(account))
        // The rest of its response does not come, and nothing else can be said.
        if self.passing == account { return self.end(nil) }
        self.watchedUpstreamLost(account)
    }
}
