import Access
import Cryptography
import Logging
import NIOCore
import NIOPosix
import SASL
import Session
import Store
import Synchronization

/// Remembered logins: successful passwords as keyed hashes, for ``memoryLifetime``.
extension Authenticator {
    /// The mark under which equal logins share one check.
    ///
    /// The lane and the basis are part of it: a login from an unknown network never shares the check
    /// of one from a known network, and a changed password is checked on its own.
    /// - Parameter basis: what the verdict depends on; empty for an unknown login.
    func mark(
        _ credentials: Credentials,
        basis: [UInt8],
        lane: CheckQueue.Lane
    ) -> CheckQueue.Mark {
        let lane =
            switch lane {
            case .known: "known"
            case .other(let network): "\(network)"
            }
        var text = Array("\(lane) \(basis.count) \(credentials.login.count) ".utf8)
        text += basis
        text += LoginFailures.folded(credentials.login)
        if case .token = credentials.proof { text.append(0) }
        text += credentials.proof.secret.value
        return self.mark(text)
    }

    /// HMAC-SHA-256 of the octets with this process's random key.
    func mark(_ octets: [UInt8]) -> CheckQueue.Mark {
        CheckQueue.Mark(code: HMACSHA256.code(for: octets, key: self.key))
    }

    /// Whether a check has found a password right: within ``memoryLifetime``, or within
    /// ``KeptLoginTable/lifetime`` if logins are kept. The comparison takes constant time.
    func remembers(_ check: SourceCheck, of claim: LoginClaim) -> Bool {
        guard let kept = self.kept, let password = check.kept else {
            guard let octets = check.remembered(of: claim) else { return false }
            return self.remembers(
                claim.user.id,
                password: octets,
                basis: check.basis,
                isExtended: check.isExtended,
                from: claim.network
            )
        }
        guard kept.contains(password) else { return false }
        self.memory.withLock {
            $0.known.succeeded(claim.user.id, from: claim.network, at: self.now())
        }
        return true
    }

    /// Remembers a login that a check has just found right. Runs on a thread of the source.
    func remember(_ check: SourceCheck, of claim: LoginClaim) {
        guard let kept = self.kept, let password = check.kept else {
            guard let octets = check.remembered(of: claim) else { return }
            return self.remember(claim.user.id, password: octets, basis: check.basis)
        }
        kept.add(password)
    }

    /// Whether this password was right within ``memoryLifetime``. The comparison takes constant time.
    /// - Parameters:
    ///   - basis: what the verdict depends on; another basis is not remembered.
    ///   - isExtended: whether the lifetime begins again.
    func remembers(
        _ user: UserID,
        password: [UInt8],
        basis: [UInt8],
        isExtended: Bool,
        from network: Network
    ) -> Bool {
        let now = self.now()
        let remembered = self.memory.withLock { $0.remembered[user] }
        guard let remembered, remembered.basis == basis, remembered.until > now,
            HMACSHA256.isValid(remembered.mark.code, for: password, key: self.key)
        else { return false }
        self.memory.withLock { memory in
            memory.known.succeeded(user, from: network, at: now)
            if isExtended, memory.remembered[user]?.mark == remembered.mark {
                memory.remembered[user]?.until = now + Self.memoryLifetime
            }
        }
        return true
    }

    /// Remembers a password that was right, in the memory of this process.
    func remember(_ user: UserID, password: [UInt8], basis: [UInt8]) {
        let mark = self.mark(password)
        self.memory.withLock { memory in
            if memory.remembered.count >= Self.maximumEntries {
                let oldest = memory.remembered.leastTenth { $0.until < $1.until }
                for user in oldest { memory.remembered[user] = nil }
            }
            memory.remembered[user] = Remembered(
                mark: mark,
                basis: basis,
                until: self.now() + Self.memoryLifetime
            )
        }
    }
}
