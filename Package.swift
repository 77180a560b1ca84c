// swift-tools-version: 6.2

import PackageDescription

/// Settings of every Swift target: a warning is an error, and an import says what it shows.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
    // The compiler still checks what it can prove. Tests run with the checks at run time, which cost
    // a tenth of a command.
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")

let package = Package(
    name: "gatepost",
    products: [.executable(name: "gatepost", targets: ["gatepost"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(
            url: "https://github.com/apple/swift-configuration",
            from: "1.0.0",
            traits: ["YAML"]
        ),
        .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.8.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.0.0"),
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.4.0"),
    ],
    targets: [
        .target(name: "SASL", swiftSettings: settings),
        .target(name: "IMAP", dependencies: ["SASL", nioCore], swiftSettings: settings),
        .target(name: "SMTP", dependencies: ["SASL", nioCore], swiftSettings: settings),
        .target(
            name: "Access",
            dependencies: [
                .product(name: "HashTreeCollections", package: "swift-collections")
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Session",
            dependencies: ["IMAP", "SMTP", "SASL", "Access", "Cryptography", nioCore],
            swiftSettings: settings
        ),
        .systemLibrary(
            name: "CPostgreSQL",
            pkgConfig: "libpq",
            providers: [.apt(["libpq-dev"])]
        ),
        .target(
            name: "Store",
            dependencies: ["SASL", "Access", "CPostgreSQL", "Cryptography", grdb],
            swiftSettings: settings
        ),
        .systemLibrary(
            name: "COpenSSL",
            pkgConfig: "openssl",
            providers: [.apt(["libssl-dev"])]
        ),
        .systemLibrary(name: "CLinux"),
        .target(name: "Cryptography", dependencies: ["COpenSSL"], swiftSettings: settings),
        .systemLibrary(
            name: "CCurl",
            pkgConfig: "libcurl",
            providers: [.apt(["libcurl4-openssl-dev"])]
        ),
        .target(name: "HTTPS", dependencies: ["CCurl"], swiftSettings: settings),
        .target(name: "OAuth", dependencies: ["Cryptography", "HTTPS"], swiftSettings: settings),
        .systemLibrary(
            name: "CLDAP",
            pkgConfig: "ldap",
            providers: [.apt(["libldap-dev"])]
        ),
        .target(name: "LDAP", dependencies: ["CLDAP"], swiftSettings: settings),
        .target(name: "TLS", dependencies: ["COpenSSL", nioCore, nioTLS], swiftSettings: settings),
        .target(
            name: "Exchange",
            dependencies: ["Access", "Cryptography", "HTTPS"],
            swiftSettings: settings
        ),
        .target(
            name: "Gateway",
            dependencies: [
                "CLinux", "IMAP", "SMTP", "SASL", "Access", "Session", "Store", "TLS", "Exchange",
                "LDAP", "OAuth", nioCore, nioPosix, nioTLS,
                "Cryptography",
                logging,
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Yams", package: "Yams"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Demo",
            dependencies: ["Store", "SASL", "Access", "TLS", nioCore, nioPosix, nioHTTP1],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "gatepost",
            dependencies: [
                "Gateway", "Store", "SASL", "Access", "Exchange", "LDAP", "Demo", "Cryptography",
                logging, nioCore, nioPosix,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),
        .target(name: "Support", path: "Tests/Support", swiftSettings: settings),
        // Limits how many tests run at once, in the bundle that has it.
        .target(name: "CTestWidth", path: "Tests/CTestWidth"),
        .executableTarget(
            name: "NodeSimulation",
            dependencies: ["Store", "Access", "Support"],
            path: "Tests/NodeSimulation",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "HotPaths",
            dependencies: [
                "Gateway", "Session", "Store", "SASL", "TLS", "Access", "Cryptography", "Support",
                logging, nioCore, nioEmbedded, nioTLS,
            ],
            path: "Tests/HotPaths",
            exclude: ["counts.json"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "AccessTests",
            dependencies: ["Access", "Support", "CTestWidth"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "CryptographyTests",
            dependencies: ["Cryptography", "COpenSSL", "Support"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "HTTPSTests",
            dependencies: ["HTTPS", "Cryptography", "TLS", nioCore, nioPosix, nioTLS],
            swiftSettings: settings
        ),
        .testTarget(
            name: "OAuthTests",
            dependencies: ["OAuth", "Cryptography", "HTTPS", "COpenSSL"],
            swiftSettings: settings
        ),
        .testTarget(name: "LDAPTests", dependencies: ["LDAP", "CLDAP"], swiftSettings: settings),
        .testTarget(
            name: "SASLTests",
            dependencies: ["SASL", "Support"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "IMAPTests",
            dependencies: ["IMAP", "Support", nioCore],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SMTPTests",
            dependencies: ["SMTP", "SASL", nioCore],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SessionTests",
            dependencies: ["Session", "IMAP", "SASL", "Access", "Support", nioCore],
            exclude: ["Attacks", "Dialogs", "Submissions"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "TLSTests",
            dependencies: ["TLS", "COpenSSL", nioCore, nioEmbedded, nioPosix, nioTLS],
            swiftSettings: settings
        ),
        .testTarget(
            name: "StoreTests",
            dependencies: [
                "Store", "SASL", "Access", "Cryptography", "Support", "NodeSimulation", grdb,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ExchangeTests",
            dependencies: ["Exchange", "Access", "Cryptography", "Support"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "GatewayTests",
            dependencies: [
                "Gateway", "Session", "IMAP", "Store", "SASL", "TLS", "Access", "Exchange",
                "Cryptography", "OAuth", "Support", logging, nioCore, nioEmbedded, nioPosix, nioTLS,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "gatepostTests",
            dependencies: [
                "gatepost", "Gateway", "Store", "SASL", "Access", "Exchange", "Demo", "Support",
                logging,
                nioCore, nioPosix,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                "Cryptography",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "DemoTests",
            dependencies: [
                "Demo", "Gateway", "Store", "Access", "Support", nioCore, nioEmbedded, nioHTTP1,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "gatepost", "Demo", "Gateway", "Exchange", "Store", "Access",
                logging, nioCore, nioEmbedded,
            ],
            exclude: ["Clients"],
            swiftSettings: settings
        ),
    ]
)
