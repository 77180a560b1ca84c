// swift-tools-version: 6.2

import PackageDescription

/// Settings of every Swift target: a warning is an error, and an import says what it shows.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let httpClient = Target.Dependency.product(
    name: "AsyncHTTPClient",
    package: "async-http-client"
)
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")

let package = Package(
    name: "gatepost",
    products: [.executable(name: "gatepost", targets: ["gatepost"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.0.0"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.10.0"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.3.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(
            url: "https://github.com/apple/swift-configuration",
            from: "1.0.0",
            traits: ["YAML"]
        ),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.8.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.0.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.30.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.30.0"),
    ],
    targets: [
        .target(name: "SASL", swiftSettings: settings),
        .target(name: "IMAP", dependencies: ["SASL", nioCore], swiftSettings: settings),
        .target(name: "SMTP", dependencies: ["SASL", nioCore], swiftSettings: settings),
        .target(name: "Access", swiftSettings: settings),
        .target(
            name: "Session",
            dependencies: ["IMAP", "SMTP", "SASL", "Access", nioCore, crypto],
            swiftSettings: settings
        ),
        .target(
            name: "Store",
            dependencies: ["SASL", "Access", grdb, crypto, cryptoExtras],
            swiftSettings: settings
        ),
        .systemLibrary(
            name: "COpenSSL",
            pkgConfig: "openssl",
            providers: [.apt(["libssl-dev"])]
        ),
        .systemLibrary(name: "CLinux"),
        .target(name: "TLS", dependencies: ["COpenSSL", nioCore, nioTLS], swiftSettings: settings),
        .target(
            name: "Exchange",
            dependencies: ["Access", httpClient, nioCore, nioHTTP1, nioSSL, crypto, cryptoExtras],
            swiftSettings: settings
        ),
        .target(
            name: "Gateway",
            dependencies: [
                "CLinux", "IMAP", "SMTP", "SASL", "Access", "Session", "Store", "TLS", "Exchange",
                nioCore, nioPosix, nioTLS,
                logging,
                crypto,
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Demo",
            dependencies: ["Store", "SASL", "Access", nioCore, nioPosix, nioHTTP1, nioSSL],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "gatepost",
            dependencies: [
                "Gateway", "Store", "SASL", "Access", "Exchange", "Demo", crypto, logging,
                nioCore, nioPosix,
                .product(name: "X509", package: "swift-certificates"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),
        .target(name: "Support", path: "Tests/Support", swiftSettings: settings),
        .testTarget(
            name: "AccessTests",
            dependencies: ["Access", "Support"],
            swiftSettings: settings
        ),
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
            dependencies: ["Store", "SASL", "Access", "Support", grdb],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ExchangeTests",
            dependencies: ["Exchange", "Access", "Support"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "GatewayTests",
            dependencies: [
                "Gateway", "Session", "IMAP", "Store", "SASL", "TLS", "Access", "Exchange",
                "Support", logging, nioCore, nioEmbedded, nioPosix, nioTLS,
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
                .product(name: "X509", package: "swift-certificates"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
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
                "gatepost", "Demo", "Gateway", "Exchange", "Store", "Access", crypto, cryptoExtras,
                logging, nioCore, nioEmbedded,
            ],
            exclude: ["Clients"],
            swiftSettings: settings
        ),
    ]
)
