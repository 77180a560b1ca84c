import Access
import NIOCore
import Session
import Store

/// Records for the audit log, and the answers that wait for them.
extension ClientHandler {
    /// Records an event.
    ///
    /// With `audit: required`, everything for the client waits from now on until the record of what
    /// was opened, changed or sent is on the disk. So a client never learns of access that the log could lose.
    func audit(_ event: AuditEvent) {
        let isRequired = self.gateway.configuration.oversight.audit == .required
        guard isRequired, self.context != nil else {
            return self.trail.record(event, snapshot: self.permissions.access)
        }
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        var records: [AuditRecord] = []
        self.trail.record(event, snapshot: self.permissions.access) { records.append($0) }
        for record in records {
            self.gate.recordBegan()
            self.gateway.audit.commit(record, on: self.eventLoop) { isCommitted in
                if isCommitted { bound.value.recordCommitted() } else { bound.value.recordFailed() }
            }
        }
    }

    /// A record is on the disk: sends what waited for it, and reads on.
    private func recordCommitted() {
        guard let held = self.gate.recordCommitted() else { return }
        for octets in held { self.write(octets) }
        if self.gate.closes { return self.closeClient() }
        self.clientWritable()
        self.resumeReading()
        if self.readsOnWhenWritable { self.readOnLater() }
    }

    /// A record is not on the disk: ends the connection without the answers that waited for it.
    private func recordFailed() {
        guard self.gate.recordFailed(), let context = self.context else { return }
        let farewell = context.channel.allocator.buffer(string: Self.farewellWithoutAudit)
        context.write(self.wrapOutboundOut(farewell), promise: nil)
        context.flush()
        context.close(promise: nil)
    }
}
