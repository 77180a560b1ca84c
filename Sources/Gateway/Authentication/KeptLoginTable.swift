import Access
import Cryptography
import Store

/// The logins of the last day whose passwords were right, as keyed hashes, and their form in a file.
/// Pure: time is a parameter.
///
/// An entry is HMAC-SHA-256 over a random salt, the user, the login, the stored password record and
/// the password. So a changed password, a removed user and another key make it void. Whoever has the
/// key can try passwords against an entry, much faster than against the store's hash.
///
/// The file is a first line, the number of entries (4 octets), the entries (``entryOctets`` each),
/// and HMAC-SHA-256 over all of that. Numbers are big-endian. A file is accepted as a whole or not
/// at all.
struct KeptLoginTable: Sendable {
    /// The file is cut, was changed, or was sealed with another key.
    struct Damaged: Error {}

    /// One login.
    private struct Entry {
        /// Random, so that equal passwords have different codes, also of one user in two files.
        var salt: [UInt8]
        var code: [UInt8]
        /// When the entry expires.
        var until: Moment
    }

    /// Seconds for which a login is kept after its password was checked: those who log in once a
    /// day, and sessions of a day's length, are let in after a restart. A use does not extend it, so
    /// each password is checked at least once a day.
    static let lifetime: Int64 = 24 * 3_600
    /// Entries. Beyond the limit the tenth that expires first is dropped. The file has at most 640
    /// KB.
    static let maximumEntries = 10_000
    /// The octets of the largest file.
    static let maximumOctets =
        Self.firstLine.count + 4 + Self.maximumEntries * Self.entryOctets + SHA256.octetCount
    /// The octets of an entry in the file: user, expiry, salt and code.
    private static let entryOctets = 8 + 8 + Self.saltOctets + SHA256.octetCount
    private static let saltOctets = 16
    /// Names the format and its version.
    private static let firstLine = Array("gatepost logins 1\n".utf8)

    /// The key of the entries.
    private let entryKey: SymmetricKey
    /// The key of the code at the end of the file.
    private let fileKey: SymmetricKey
    /// At most ``maximumEntries``.
    private var entries: [UserID: Entry] = [:]

    /// - Parameter key: derived from the master key for this purpose only.
    init(key: SymmetricKey) {
        self.entryKey = HMACSHA256.derivedKey(from: key, purpose: "entry")
        self.fileKey = HMACSHA256.derivedKey(from: key, purpose: "file")
    }

    /// The number of entries, with those that have expired.
    var count: Int { self.entries.count }

    /// Whether the password of a claim was right, with the same record, within ``lifetime``. The
    /// comparison takes constant time.
    func contains(_ claim: PasswordClaim, at now: Moment) -> Bool {
        guard let entry = self.entries[claim.user], Self.isCurrent(entry, at: now) else {
            return false
        }
        return HMACSHA256.isValid(
            entry.code,
            for: Self.message(claim, salt: entry.salt),
            key: self.entryKey
        )
    }

    /// Adds a login whose password was right, or replaces its entry.
    mutating func add(_ claim: PasswordClaim, at now: Moment) {
        if self.entries[claim.user] == nil, self.entries.count >= Self.maximumEntries {
            for user in self.entries.leastTenth({ $0.until < $1.until }) {
                self.entries[user] = nil
            }
        }
        let salt = Random.octets(count: Self.saltOctets)
        self.entries[claim.user] = Entry(
            salt: salt,
            code: HMACSHA256.code(for: Self.message(claim, salt: salt), key: self.entryKey),
            until: Moment(seconds: now.seconds + Self.lifetime)
        )
    }

    /// Whether an entry has not expired. One that expires later than a new one was written by a
    /// clock that was wrong.
    private static func isCurrent(_ entry: Entry, at now: Moment) -> Bool {
        entry.until > now && entry.until.seconds - now.seconds <= Self.lifetime
    }

    /// The octets of an entry's code. The length of each part is fixed or stated, so that no two
    /// logins have the same octets.
    private static func message(_ claim: PasswordClaim, salt: [UInt8]) -> [UInt8] {
        let record = Array(claim.record.hash.text.utf8)
        var octets = salt
        octets.append(claim.user.rawValue)
        octets.append(claim.record.version)
        octets.append(Int64(claim.name.count))
        octets += claim.name
        octets.append(Int64(record.count))
        octets += record
        return octets + claim.password
    }

    // MARK: - The file

    /// The file with all entries that have not expired.
    func encoded(at now: Moment) -> [UInt8] {
        let current = self.entries.filter { Self.isCurrent($0.value, at: now) }
        var octets = Self.firstLine
        octets.append(UInt32(current.count))
        for (user, entry) in current {
            octets.append(user.rawValue)
            octets.append(entry.until.seconds)
            octets += entry.salt + entry.code
        }
        return octets + HMACSHA256.code(for: octets, key: self.fileKey)
    }

    /// Replaces all entries by those of a file that have not expired.
    /// - Throws: ``Damaged``; then nothing changes.
    mutating func read(_ octets: [UInt8], at now: Moment) throws(Damaged) {
        let sealed = octets.dropLast(SHA256.octetCount)
        guard HMACSHA256.isValid(octets.suffix(SHA256.octetCount), for: sealed, key: self.fileKey),
            sealed.starts(with: Self.firstLine)
        else { throw Damaged() }
        var rest = sealed.dropFirst(Self.firstLine.count)
        let count = Int(rest.removeNumber(UInt32.self) ?? 0)
        guard count <= Self.maximumEntries, rest.count == count * Self.entryOctets else {
            throw Damaged()
        }
        var entries: [UserID: Entry] = [:]
        while let user = rest.removeNumber(Int64.self), let until = rest.removeNumber(Int64.self) {
            let entry = Entry(
                salt: Array(rest.prefix(Self.saltOctets)),
                code: Array(rest.dropFirst(Self.saltOctets).prefix(SHA256.octetCount)),
                until: Moment(seconds: until)
            )
            rest = rest.dropFirst(Self.saltOctets + SHA256.octetCount)
            if Self.isCurrent(entry, at: now) { entries[UserID(user)] = entry }
        }
        self.entries = entries
    }
}

extension [UInt8] {
    /// Appends a number, big-endian.
    fileprivate mutating func append(_ number: some FixedWidthInteger) {
        for shift in stride(from: number.bitWidth - 8, through: 0, by: -8) {
            self.append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }
}

extension ArraySlice<UInt8> {
    /// Removes a big-endian number from the front; nil if fewer octets are left.
    fileprivate mutating func removeNumber<Number: FixedWidthInteger>(
        _ type: Number.Type
    ) -> Number? {
        let octets = self.prefix(Number.bitWidth / 8)
        guard octets.count == Number.bitWidth / 8 else { return nil }
        self = self.dropFirst(octets.count)
        return octets.reduce(0) { $0 << 8 | Number($1) }
    }
}
