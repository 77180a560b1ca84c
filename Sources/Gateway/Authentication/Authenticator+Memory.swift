import Access
import Cryptography
import Logging
import NIOCore
import NIOPosix
import SASL
import Session
import Store
import Synchronization

/// Memory.
extension Authenticator {
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

    func mark(_ octets: [UInt8]) -> CheckQueue.Mark {
        CheckQueue.Mark(code: HMACSHA256.code(for: octets, key: self.key))
    }

    /// Whether the password was right some minutes ago; if so, it is remembered for longer.
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
