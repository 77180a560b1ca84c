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
    /// The lane and the password's version are part of it: a login from an unknown network never
    /// shares the check of one from a known network, and a changed password is checked on its own.
    /// - Parameter version: the version of the stored password; nil for an unknown login.
    func mark(
        _ credentials: Credentials,
        version: Int64?,
        lane: CheckQueue.Lane
    ) -> CheckQueue.Mark {
        let lane =
            switch lane {
            case .known: "known"
            case .other(let network): "\(network)"
            }
        var text = Array("\(lane) \(version ?? 0) \(credentials.login.count) ".utf8)
        text += credentials.login
        text += credentials.password.value
        return self.mark(text)
    }

    /// HMAC-SHA-256 of the octets with this process's random key.
    func mark(_ octets: [UInt8]) -> CheckQueue.Mark {
        CheckQueue.Mark(code: HMACSHA256.code(for: octets, key: self.key))
    }

    /// Whether a check has found the password of a login right: within ``memoryLifetime``, or within
    /// ``KeptLoginTable/lifetime`` if logins are kept. The comparison takes constant time.
    func remembers(_ login: PasswordClaim, from network: Network) -> Bool {
        guard let kept = self.kept else {
            return self.remembers(
                login.user,
                password: login.password,
                version: login.record.version,
                from: network
            )
        }
        guard kept.contains(login) else { return false }
        self.memory.withLock { $0.known.succeeded(login.user, from: network, at: self.now()) }
        return true
    }

    /// Remembers a login that a check has just found right. Runs on a thread of the pool.
    func remember(_ login: PasswordClaim) {
        guard let kept = self.kept else {
            return self.remember(
                login.user,
                password: login.password,
                version: login.record.version
            )
        }
        kept.add(login)
    }

    /// Whether this password was right within ``memoryLifetime``. If so, the lifetime begins again.
    /// The comparison takes constant time.
    /// - Parameter version: the version of the stored password; another version is not remembered.
    func remembers(
        _ user: UserID,
        password: [UInt8],
        version: Int64,
        from network: Network
    ) -> Bool {
        let now = self.now()
        let remembered = self.memory.withLock { $0.remembered[user] }
        guard let remembered, remembered.version == version, remembered.until > now,
            HMACSHA256.isValid(remembered.mark.code, for: password, key: self.key)
        else { return false }
        self.memory.withLock { memory in
            memory.known.succeeded(user, from: network, at: now)
            if memory.remembered[user]?.mark == remembered.mark {
                memory.remembered[user]?.until = now + Self.memoryLifetime
            }
        }
        return true
    }

    /// Remembers a password that was right, in the memory of this process.
    func remember(_ user: UserID, password: [UInt8], version: Int64) {
        let mark = self.mark(password)
        self.memory.withLock { memory in
            if memory.remembered.count >= Self.maximumEntries {
                let oldest = memory.remembered.leastTenth { $0.until < $1.until }
                for user in oldest { memory.remembered[user] = nil }
            }
            memory.remembered[user] = Remembered(
                mark: mark,
                version: version,
                until: self.now() + Self.memoryLifetime
            )
        }
    }
}
