import Access
import IMAP

import struct NIOCore.ByteBuffer

/// STORE and UID STORE (RFC 9051 §6.4.6).
extension ClientSession {
    /// STORE needs `s` for `\Seen`, `t` for `\Deleted` and `w` for every other flag (RFC 4314 §4).
    /// Flags without their right are left out; if a replacement of all flags becomes partial by
    /// that, it is sent as two commands (``Flags``).
    mutating func store(
        _ tagged: TaggedCommand,
        store: StoreFlags,
        selected: SelectedMailbox,
        rights: Rights
    ) {
        guard rights.contains(.seen) || !Quirks.marksReadSilently(store) else {
            return self.finish(tagged.tag, text: .completed("STORE"))
        }
        guard !selected.isReadOnlyUpstream else {
            return self.finish(tagged.tag, text: .notPermitted)
        }
        let steps = Flags.permitted(store, rights: rights, known: selected.flags)
        guard !steps.isEmpty else { return self.finish(tagged.tag, text: .notPermitted) }
        var encoded: [Forwarding.Encoded] = []
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
        let forwarding = Forwarding(tagged, to: selected.account, segments: segments)
        forwarding.followUps = encoded
        forwarding.followUpRights = rights.intersection(.changingSelected)
        self.running = .forwarding(forwarding)
        self.actions.append(.toUpstream(selected.account, opening))
    }
}
