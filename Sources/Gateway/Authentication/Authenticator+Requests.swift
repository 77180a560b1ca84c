import Access
import NIOCore
import SASL
import Session
import Store
import Synchronization

/// What a login claims, what a right password leads to, and whether that still stands when it is
/// answered.
extension Authenticator {
    /// The check of a login that no source knows.
    func checkOfUnknownLogin(_ credentials: Credentials, lane: CheckQueue.Lane) -> CheckQueue.Check
    {
        // The check of a token takes no time that could tell whether the login exists.
        let password: [UInt8]? =
            if case .password(let password) = credentials.proof {
                PasswordHash.shortened(password.value)
            } else { nil }
        return CheckQueue.Check(
            mark: self.mark(credentials, basis: [], lane: lane),
            lane: lane,
            login: LoginFailures.folded(credentials.login)
        ) {
            if let password { _ = PasswordHash.dummy.verify(password) }
            return .refused()
        }
    }

    /// Whether a login that was verified still stands with newer permissions: the same source knows the
    /// user, and its stored password, or its mailbox and server, are the same.
    func isCurrent(_ handle: Handle, in permissions: StoreSnapshot) -> Bool {
        guard let claim = handle.claim,
            let user = permissions.access.users[claim.user.id], !user.isDisabled
        else { return false }
        let subjects = self.sources.checks(of: claim, in: permissions).map(\.check.subject)
        let end = handle.login.end
        guard !end.isReached(at: .current, in: permissions, user: user.id) else { return false }
        return handle.login.subject.map(subjects.contains) ?? false
    }

    /// Records the refusal of a login that was verified and does not stand any more.
    func recordOutdated(_ login: PendingLogin) {
        var record = login.record
        record.detail = ["the password, the mailbox or its server was changed during the check"]
        self.record(record)
    }

    /// What a client claims about an enabled user.
    func claim(of user: User, login: PendingLogin, request: Request) -> LoginClaim {
        LoginClaim(
            user: user,
            proof: request.credentials.proof,
            network: login.network,
            isKnownNetwork: self.lane(of: user.id, network: login.network).isKnown
        )
    }

    /// The client has closed its connection: no answer follows. A check that still waits is
    /// dropped; a check that runs is counted and recorded.
    func cancel(_ handle: Handle) {
        handle.login.cancel()
        self.memory.withLock { memory in
            for source in memory.queues.indices {
                for mark in handle.marks {
                    memory.queues[source].queue.cancel(handle.login, mark: mark)
                }
            }
        }
    }

    /// The pending login of a request, with the answer that a correct password leads to.
    func pending(
        _ request: Request,
        user: UserID?,
        loop: any EventLoop,
        answer: @escaping @Sendable (Answer) -> Void
    ) -> PendingLogin {
        let network = Network(request.address)
        return PendingLogin(
            whenRight: user.map { Self.accept(request, user: $0) } ?? .refused,
            slots: LoginFailures.slots(login: request.credentials.login, network: network),
            network: network,
            record: AuditRecord(
                event: "login",
                outcome: .refused,
                actor: request.actor,
                from: request.address?.ipAddress
            ),
            shortestRefusal: self.sources.asksNetwork(for: request.credentials.login)
                ? Self.shortestNetworkRefusal : .zero,
            since: self.now(),
            loop: loop,
            answer: answer
        )
    }

    /// The answer that a correct password leads to.
    ///
    /// An account that does not exist, or that the user has no right to, refuses the login after
    /// the same check and with the same delay as a wrong password: the response must not reveal
    /// whether the account exists.
    static func accept(_ request: Request, user: UserID) -> Answer {
        guard let name = request.credentials.account else { return .accepted(user, account: nil) }
        let access = request.permissions.access
        guard let address = Address(name), let account = access.account(address: address) else {
            return .refused
        }
        let known = access.access(of: user, to: account.id, at: .current)
        // A mailbox that the user may only send from has no folder to open with IMAP.
        let maySend = request.service == .submission && known.send != .none
        guard known.isVisible || maySend else { return .refused }
        return .accepted(user, account: account.id)
    }

    /// The queue for a login: its own lane if the user logged in from this network recently.
    /// - Parameter user: nil for a login that is unknown, disabled or without a password.
    func lane(of user: UserID?, network: Network) -> CheckQueue.Lane {
        guard let user else { return .other(network) }
        let isKnown = self.memory.withLock {
            $0.known.contains(user, from: network, at: self.now())
        }
        return isKnown ? .known(user) : .other(network)
    }
}
