import ArgumentParser
import Foundation
import Gateway
import NIOCore

/// `gatepost service`: a systemd unit with the configuration's paths.
///
/// The unit keeps the capability to bind ports below 1024 and write access to the store's folder.
/// It cannot see home folders or `/tmp`, so paths there are refused, as are characters that systemd
/// would expand or that would need quoting. systemd waits `limits.drainSeconds` plus 10 seconds
/// before it kills the gateway, so that messages in transit can finish.
struct ServiceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "service",
        abstract: "Print a systemd unit without the privileges that the gateway does not need.",
        discussion: """
            gatepost service > /etc/systemd/system/gatepost.service
            systemctl daemon-reload && systemctl enable --now gatepost
            """
    )

    @OptionGroup var configuration: ConfigurationOption
    @Option(help: "Run the gateway as this user, who must own the store's folder.")
    var user = "gatepost"

    /// Accepts letters and digits of ASCII, `-` and `_` in a user name.
    ///
    /// - Throws: `ValidationError` for a user name with a character that a unit may misread.
    func validate() throws {
        let isName = self.user.utf8.allSatisfy { octet in
            octet == UInt8(ascii: "-") || octet == UInt8(ascii: "_")
                || (0x61...0x7A).contains(octet | 0x20) || (0x30...0x39).contains(octet)
        }
        guard isName, !self.user.isEmpty else {
            throw ValidationError("--user: use letters, digits, - and _")
        }
    }

    func run() async throws {
        let configuration = try await self.configuration.load()
        let file = URL(fileURLWithPath: configuration.file).standardizedFileURL.path
        let folder = URL(fileURLWithPath: configuration.store).deletingLastPathComponent()
            .standardizedFileURL.path
        let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        for path in [file, folder, executable]
        where path.contains(where: { " \"'%\\".contains($0) }) {
            throw Failure(
                "\(path): a unit cannot contain a path with space, quote, percent or backslash: "
                    + "move it"
            )
        }
        for path in [file, folder, executable] {
            guard !["/home/", "/root/", "/tmp/", "/run/user/"].contains(where: path.hasPrefix)
            else {
                throw Failure("\(path): the unit cannot see home folders and /tmp: move it")
            }
        }
        let drain = configuration.limits.drainTime.nanoseconds / 1_000_000_000
        print(
            Self.unit(
                executable,
                file: file,
                folder: folder,
                user: self.user,
                stopSeconds: drain + 10
            )
        )
    }

    /// Fills the unit's template (systemd.service(5), systemd.exec(5)).
    ///
    /// - Parameters:
    ///   - executable: the path of this program.
    ///   - file: the path of the configuration.
    ///   - folder: the store's folder, the only one that the gateway may write to.
    ///   - user: the user and the group that the gateway runs as.
    ///   - stopSeconds: how long systemd waits before it kills the gateway.
    private static func unit(
        _ executable: String,
        file: String,
        folder: String,
        user: String,
        stopSeconds: Int64
    ) -> String {
        """
        [Unit]
        Description=Gatepost mail access gateway
        After=network-online.target
        Wants=network-online.target

        [Service]
        ExecStart=\(executable) serve --config \(file)
        ExecReload=/bin/kill -HUP $MAINPID
        Restart=on-failure
        TimeoutStopSec=\(stopSeconds)
        User=\(user)
        Group=\(user)
        UMask=0077
        # Ports below 1024, and nothing else of root's.
        AmbientCapabilities=CAP_NET_BIND_SERVICE
        CapabilityBoundingSet=CAP_NET_BIND_SERVICE
        NoNewPrivileges=yes
        ReadWritePaths=\(folder)
        ProtectSystem=strict
        ProtectHome=yes
        ProtectProc=invisible
        ProcSubset=pid
        PrivateTmp=yes
        PrivateDevices=yes
        ProtectClock=yes
        ProtectControlGroups=yes
        ProtectHostname=yes
        ProtectKernelLogs=yes
        ProtectKernelModules=yes
        ProtectKernelTunables=yes
        RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
        RestrictNamespaces=yes
        RestrictRealtime=yes
        RestrictSUIDSGID=yes
        LockPersonality=yes
        MemoryDenyWriteExecute=yes
        RemoveIPC=yes
        SystemCallArchitectures=native
        SystemCallFilter=@system-service
        SystemCallFilter=~@privileged
        LimitCORE=0
        LimitNOFILE=65536

        [Install]
        WantedBy=multi-user.target
        """
    }
}
