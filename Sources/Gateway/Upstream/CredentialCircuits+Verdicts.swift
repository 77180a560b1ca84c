import Access
import NIOCore
import Store

/// Transitions after a login.
extension CredentialCircuits {
    /// A login succeeded.
    /// - Returns: whether a suspension ends.
    mutating func accepted(_ lease: Lease, at now: NIODeadline) -> Bool {
        guard let circuit = self.giveBack(lease) else { return false }
        guard lease.number >= circuit.judgedBefore else {
            self.circuits[lease.key]?.unanswered = 0
            self.circuits[lease.key]?.pausedUntil = nil
            return false
        }
        return self.accept(
            lease.account,
            service: lease.service,
            judgedBefore: circuit.judgedBefore,
            at: now
        )
    }

    /// The server accepted the credential of a command that had no lease.
    /// - Returns: whether a suspension ends.
    mutating func accepted(
        _ account: UpstreamAccount,
        service: CredentialService,
        at now: NIODeadline
    ) -> Bool {
        guard !self.isStale(account, service: service) else { return false }
        return self.accept(account, service: service, judgedBefore: self.nextNumber, at: now)
    }

    /// Clears refusals and pauses of the circuit.
    /// - Parameter judgedBefore: leases with smaller numbers have no say any more.
    /// - Returns: whether a suspension ends.
    mutating func accept(
        _ account: UpstreamAccount,
        service: CredentialService,
        judgedBefore: UInt64,
        at now: NIODeadline
    ) -> Bool {
        guard let server = service.server(of: account) else { return false }
        let wasSuspended = self.suspension(of: account, service: service, at: now) != nil
        let key = Key(account: account.id, service: service)
        self.circuits[key] = Circuit(
            server: server,
            leases: self.circuits[key]?.leases ?? [],
            acceptedAt: now,
            judgedBefore: judgedBefore
        )
        let isRefusedElsewhere =
            self.circuit(account, service: service.other)?.suspendedUntil != nil
        if !isRefusedElsewhere { self.suspended.remove(account.id) }
        self.circuits[Key(account: account.id, service: service.other)]?.closesOtherUntil = nil
        return wasSuspended
    }

    /// The server refused a login.
    /// - Parameter tolerated: refusals that suspend nothing yet: one for a token, because the next
    ///   login uses a new one.
    /// - Returns: the suspension that begins; nil if none begins, or if a suspension that began
    ///   already covers this refusal.
    mutating func refused(_ lease: Lease, tolerated: Int, at now: NIODeadline) -> Suspension? {
        // Concurrent logins with the same credential count as one refusal.
        guard let circuit = self.giveBack(lease), lease.number >= circuit.judgedBefore else {
            return nil
        }
        return self.refused(lease.account, service: lease.service, tolerated: tolerated, at: now)
    }

    /// The server refused the credential of a command that had no lease.
    /// - Returns: the suspension that begins; nil if none begins.
    mutating func refused(
        _ account: UpstreamAccount,
        service: CredentialService,
        tolerated: Int,
        at now: NIODeadline
    ) -> Suspension? {
        guard let server = service.server(of: account), !self.isStale(account, service: service)
        else {
            return nil
        }
        var circuit = self.circuit(account, service: service) ?? Circuit(server: server)
        defer { self.circuits[Key(account: account.id, service: service)] = circuit }
        circuit.acceptedAt = nil
        guard !circuit.isSuspended(at: now) else { return nil }
        circuit.judgedBefore = self.nextNumber
        let isFirst = circuit.refusals <= tolerated
        let others = self.circuit(account, service: service.other)?.refusals ?? 0
        circuit.refusals = max(circuit.refusals, others) + 1
        guard circuit.refusals > tolerated else { return nil }
        if isFirst { circuit.closesOtherUntil = now + Self.firstPause }
        let until = now + Self.pause(afterRefusals: circuit.refusals - tolerated)
        circuit.suspendedUntil = until
        self.suspended.insert(account.id)
        return Suspension(service: service, refusals: circuit.refusals, until: until)
    }

    /// A login ended without a verdict.
    /// - Parameter isUnanswered: whether the server received the credential and then closed the
    ///   connection or let the time for an answer pass. A server that was not reached, or that
    ///   answered that it cannot check the credential, counts for nothing.
    /// - Returns: the pause that begins; nil if none begins.
    mutating func ended(_ lease: Lease, isUnanswered: Bool, at now: NIODeadline) -> Pause? {
        guard var circuit = self.giveBack(lease), isUnanswered,
            lease.number >= max(circuit.judgedBefore, circuit.unansweredBefore)
        else { return nil }
        circuit.unanswered += 1
        circuit.unansweredBefore = self.nextNumber
        let pause = Self.pause(afterUnanswered: circuit.unanswered)
        let until = now + pause
        if pause > .zero { circuit.pausedUntil = until }
        self.circuits[lease.key] = circuit
        return pause > .zero ? Pause(unanswered: circuit.unanswered, until: until) : nil
    }

    /// Ends a lease.
    /// - Returns: the circuit without the lease; nil if the credential has changed, or the lease
    ///   was returned before.
    mutating func giveBack(_ lease: Lease) -> Circuit? {
        guard var circuit = self.circuit(lease.account, service: lease.service),
            circuit.leases.remove(lease.number) != nil
        else { return nil }
        self.circuits[lease.key] = circuit
        return circuit
    }

    /// Drops suspended accounts that the store does not have any more, and accounts whose
    /// suspension has ended.
    mutating func keep(at now: NIODeadline, where isInStore: (AccountID) -> Bool) {
        for account in self.suspended {
            let keys = CredentialService.allCases.map { Key(account: account, service: $0) }
            guard isInStore(account) else {
                for key in keys { self.circuits[key] = nil }
                self.suspended.remove(account)
                continue
            }
            let isSuspended = keys.contains { key in
                guard let circuit = self.circuits[key] else { return false }
                return circuit.isSuspended(at: now)
                    || circuit.closesOtherUntil.map { $0 > now } ?? false
            }
            if !isSuspended { self.suspended.remove(account) }
        }
    }
}
