package import Access
import IMAP

import struct NIOCore.ByteBuffer

/// An IDLE on its way (RFC 2177).
struct Idling {
    var tag: ByteBuffer
    /// The account of the selected mailbox, where its server idles; nil where the gateway does.
    var account: AccountID?
    /// The account of the selected mailbox, where its server cannot idle and is asked instead.
    var polled: AccountID?
    var isUpstreamIdling = false
    /// The client's tag once it has said DONE.
    var doneTag: ByteBuffer?
    /// The answer where the client said something else than DONE.
    var refusal: ReplyText?
}

extension ClientSession {
    /// Idles at the server of the selected mailbox where that can, else here.
    mutating func idle(_ tag: ByteBuffer) {
        guard let selected = self.selected else {
            return self.idleHere(Idling(tag: tag, account: nil))
        }
        let account = selected.account
        guard self.access(to: account).rights(in: selected.folder).contains([.lookup, .read]) else {
            self.leaveSelected(announce: true)
            return self.finish(tag, text: .notPermitted)
        }
        guard self.prepare(account, tag: tag, command: .idle) else { return }
        guard self.upstreams[account]?.profile.has("IDLE") ?? false else {
            return self.idleHere(Idling(tag: tag, account: nil, polled: account))
        }
        var encoder = self.encoder(for: account)
        encoder.write(word: "IDLE")
        for segment in encoder.finish() { self.actions.append(.toUpstream(account, segment)) }
        self.running = .idling(Idling(tag: tag, account: account))
    }

    private mutating func idleHere(_ idling: Idling) {
        self.running = .idling(idling)
        if idling.polled != nil {
            self.isPollScheduled = true
            self.actions.append(.pollLater)
        }
        self.idleBegan(idling)
    }

    /// The client waits, and the server of the selected mailbox cannot idle: it is asked from time
    /// to time, so that new messages show all the same. So are servers of accounts that are watched and have
    /// no NOTIFY.
    package mutating func pollDue(at now: Moment) {
        self.now = now
        self.isPollScheduled = false
        self.pollIdling()
        self.pollWatched()
    }

    private mutating func pollIdling() {
        guard case .idling(let idling) = self.running, idling.account == nil,
            let account = self.selected?.account
        else { return }
        self.isPollScheduled = true
        self.actions.append(.pollLater)
        guard self.upstreams[account]?.isIdle ?? false else { return }
        self.upstreams[account]?.housekeeping = .upkeep
        var encoder = self.encoder(for: account)
        encoder.write(word: "NOOP")
        for segment in encoder.finish() { self.actions.append(.toUpstream(account, segment)) }
    }

    /// The client may wait now.
    mutating func idleBegan(_ idling: Idling) {
        self.reader.readsLines = true
        self.emit(Reply.continuation(.idling))
        self.readClient()
    }

    mutating func lineReceivedWhileIdle(_ line: ByteBuffer, idling: Idling) {
        self.reader.readsLines = false
        guard line.equals(word: "DONE") else {
            // Where a literal was announced, nothing behind the line can be told apart.
            guard line.readableBytesView.last != UInt8(ascii: "}") else {
                return self.end(.bye(.syntax))
            }
            // Whatever was meant, the server still idles: it is told to stop first.
            self.strike()
            return self.stopIdling(idling, answer: .badSyntax)
        }
        self.stopIdling(idling, answer: nil)
    }

    private mutating func stopIdling(_ idling: Idling, answer: ReplyText?) {
        if case .ended = self.running { return }
        guard let account = idling.account, self.upstreams[account] != nil else {
            return self.finish(idling.tag, text: answer ?? .completed("IDLE"))
        }
        var idling = idling
        idling.doneTag = idling.tag
        idling.refusal = answer
        self.running = .idling(idling)
        self.actions.append(.toUpstream(account, ByteBuffer(string: "DONE\r\n")))
    }

    mutating func idleCompleted(_ idling: Idling, condition: Condition) {
        self.reader.readsLines = false
        if let refusal = idling.refusal { return self.finish(idling.tag, text: refusal) }
        let isDone = idling.doneTag != nil && condition == .ok
        self.finish(idling.tag, text: isDone ? .completed("IDLE") : .unavailable)
    }

    /// The mailbox that was watched is gone: IDLE ends, so that the client notices.
    mutating func idlingUpstreamLost(_ idling: Idling, answer: ReplyText) {
        self.reader.readsLines = false
        self.finish(idling.tag, text: answer)
    }
}
