import Access
import Foundation
import Glibc
import Logging
import Support
import Synchronization
import Testing

@testable import Gateway
@testable import Store

/// The file of kept logins: who may read it, and what is ignored.
@Suite struct KeptLoginsTests {
    /// A gateway's kept logins in a folder of their own.
    private struct Bench {
        let folder: TemporaryFolder
        let log = LogLines()
        let masterKey = MasterKey()

        init() throws {
            self.folder = try TemporaryFolder()
        }

        var path: String { self.folder.path("gatepost.logins") }

        func logins(_ masterKey: MasterKey? = nil, user: uid_t = geteuid()) -> KeptLogins {
            KeptLogins(
                file: KeptLoginsFile(path: self.path, user: user),
                key: (masterKey ?? self.masterKey).keptLoginsKey,
                logger: self.log.logger
            )
        }

        /// Writes a file with Anna's login.
        func write() throws {
            let logins = self.logins()
            logins.add(try KeptLoginsTests.claim())
            logins.save()
        }

        /// Whether a gateway that starts now lets Anna in without a check.
        func isKept(_ masterKey: MasterKey? = nil, user: uid_t = geteuid()) throws -> Bool {
            let logins = self.logins(masterKey, user: user)
            logins.load()
            return logins.contains(try KeptLoginsTests.claim())
        }

        func mode(of path: String) throws -> Int {
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? -1
        }
    }

    fileprivate static func claim(_ password: String = "pw-anna") throws -> PasswordClaim {
        PasswordClaim(
            user: User(
                id: UserID(1),
                login: try #require(Address(Array("anna@kanzlei.example".utf8)))
            ),
            password: Array(password.utf8),
            record: PasswordRecord(hash: PasswordHash(text: "hash"), version: 1)
        )
    }

    private static let ignored = "kept logins are ignored, and all passwords are checked"

    @Test func `logins are read back, and only the gateway's user may read the file`() throws {
        let bench = try Bench()
        try bench.write()
        #expect(try bench.mode(of: bench.path) == 0o600)
        #expect(bench.folder.names() == ["gatepost.logins"])
        #expect(try bench.isKept())
        #expect(bench.log.all.isEmpty)
    }

    @Test func `without a file no login is kept, and nothing is logged`() throws {
        let bench = try Bench()
        #expect(try !bench.isKept())
        #expect(bench.log.all.isEmpty)
    }

    @Test func `nothing is written before a login was verified, or without a change`() throws {
        let bench = try Bench()
        let logins = bench.logins()
        logins.save()
        #expect(bench.folder.names() == [])
        logins.add(try Self.claim())
        logins.save()
        try FileManager.default.removeItem(atPath: bench.path)
        logins.save()
        #expect(bench.folder.names() == [])
        logins.add(try Self.claim())
        logins.save()
        #expect(bench.folder.names() == ["gatepost.logins"])
    }

    @Test(arguments: [0o604, 0o640, 0o620, 0o602, 0o601, 0o610, 0o666, 0o777])
    func `a file that others can access is ignored`(mode: Int) throws {
        let bench = try Bench()
        try bench.write()
        try FileManager.default.setAttributes(
            [.posixPermissions: mode],
            ofItemAtPath: bench.path
        )
        #expect(try !bench.isKept())
        #expect(bench.log.count(Self.ignored) == 1)
        #expect(bench.log.all.last?.contains("chmod 600 \(bench.path)") == true)
        // The remedy works.
        #expect(chmod(bench.path, 0o600) == 0)
        #expect(try bench.isKept())
    }

    @Test func `a file of another master key is ignored`() throws {
        let bench = try Bench()
        try bench.write()
        #expect(try !bench.isKept(MasterKey()))
        #expect(bench.log.all.last?.contains("another master key: remove it") == true)
    }

    @Test func `a damaged file is ignored, and replaced by the next login`() throws {
        let bench = try Bench()
        try bench.write()
        var octets = try Data(contentsOf: URL(fileURLWithPath: bench.path))
        octets[40] ^= 1
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: bench.path))
        try handle.write(contentsOf: octets)
        try handle.close()
        let logins = bench.logins()
        logins.load()
        #expect(try !logins.contains(Self.claim()))
        #expect(bench.log.count(Self.ignored) == 1)
        logins.add(try Self.claim("other"))
        logins.save()
        #expect(try !bench.isKept())
        #expect(bench.log.count(Self.ignored) == 1)
    }

    @Test func `a file that is too long is ignored`() throws {
        let bench = try Bench()
        try Data(repeating: 0, count: KeptLoginTable.maximumOctets + 1)
            .write(to: URL(fileURLWithPath: bench.path))
        #expect(chmod(bench.path, 0o600) == 0)
        #expect(try !bench.isKept())
        #expect(bench.log.all.last?.contains("is too long: remove it") == true)
    }

    @Test(arguments: ["link", "folder", "pipe"])
    func `what is no regular file is ignored`(kind: String) throws {
        let bench = try Bench()
        switch kind {
        case "link":
            try bench.write()
            let target = bench.folder.path("elsewhere")
            try FileManager.default.moveItem(atPath: bench.path, toPath: target)
            #expect(symlink(target, bench.path) == 0)
        case "folder":
            #expect(mkdir(bench.path, 0o700) == 0)
        default:
            #expect(mkfifo(bench.path, 0o600) == 0)
        }
        #expect(try !bench.isKept())
        #expect(bench.log.count(Self.ignored) == 1)
        #expect(bench.log.all.last?.contains("remove it") == true)
    }

    @Test func `a file of another user is ignored`() throws {
        let bench = try Bench()
        try bench.write()
        #expect(try !bench.isKept(user: geteuid() + 1))
        #expect(bench.log.all.last?.contains("belongs to another user: remove it") == true)
    }

    @Test func `a link in the place of the new file is not followed`() throws {
        let bench = try Bench()
        let target = try bench.folder.write("precious", as: "target")
        #expect(symlink(target, bench.path + ".new") == 0)
        try bench.write()
        #expect(try String(contentsOfFile: target, encoding: .utf8) == "precious")
        #expect(try bench.isKept())
    }

    @Test func `a file that cannot be written is logged once, and written later`() throws {
        let bench = try Bench()
        let line = "logins are not kept for the next start"
        let logins = bench.logins()
        #expect(mkdir(bench.path, 0o700) == 0)
        logins.add(try Self.claim())
        for _ in 0..<3 { logins.save() }
        #expect(bench.log.count(line) == 1)
        #expect(bench.folder.names() == ["gatepost.logins"])
        #expect(rmdir(bench.path) == 0)
        logins.save()
        #expect(try bench.isKept())
        #expect(bench.log.count(line) == 1)
    }

    @Test func `the file is removed where logins are not kept any more`() throws {
        let bench = try Bench()
        try bench.write()
        KeptLoginsFile(path: bench.path).remove()
        #expect(bench.folder.names() == [])
        KeptLoginsFile(path: bench.path).remove()
    }
}
