# Everything a user calls. `make help` lists it.

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp
FACEGEN := $(BIN)/facegen

PROFILE ?= demo
DATA ?=
SET ?=
TABLE ?=
RUN ?= last
# shape_cgan reads the codes of an SAE, not a data set.
WORDS = $(if $(DATA),$(if $(filter shape_cgan,$*),,data.root=$(DATA))) $(SET)

STAGES := sae shape_cgan texture_progan coma face_judge vqgan emotion_ldm emotion_clip
PAPERS := face3d emotion_ldm
GENERATED := face3d
EXPORTED := face_judge emotion_ldm
EDITED := emotion_ldm

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint data-population data-check data-prepare dashboard compare bench doctor clean stages papers \
	$(STAGES:%=train-%) $(STAGES:%=resume-%) $(STAGES:%=evaluate-%) $(PAPERS:%=reproduce-%) $(GENERATED:%=generate-%) \
	$(EXPORTED:%=export-%) $(EDITED:%=edit-%)

help: ## list the targets
	@echo "make TARGET [PROFILE=paper|demo|smoke] [DATA=folder] [SET=\"key=value ...\"]"
	@grep -hE '^[a-z%$$(][^:=]*:.*## ' $(MAKEFILE_LIST) | sed -E \
	 -e 's/\$$\(STAGES:%=([a-z]+)-%\)/\1-<stage>/; s/\$$\(PAPERS:%=([a-z]+)-%\)/\1-<slug>/' \
	 -e 's/\$$\(GENERATED:%=([a-z]+)-%\)/\1-<slug>/' -e 's/\$$\(EXPORTED:%=([a-z]+)-%\)/\1-<stage>/; s/\$$\(EDITED:%=([a-z]+)-%\)/\1-emotion_ldm/' \
	 -e 's/^([^:]+):[^#]*## (.*)/  \1|\2/' | awk -F'|' '{printf "%-22s%s\n", $$1, $$2}'
	@echo "  <stage> is one of: $(STAGES); <slug> is one of: $(PAPERS)"

setup: $(STAMP) ## make .venv with exact versions (done by every other target that needs it)

$(STAMP): requirements.lock pyproject.toml .ci/setup
	@PYTHON="$(PYTHON)" .ci/setup "$(VENV)" && touch $@

demo: $(STAMP) ## train, measure and compare 3DFaceCAM and its rivals on the embedded people
	$(FACEGEN) reproduce face3d profile=demo $(SET)

test: $(STAMP) ## all tests
	$(BIN)/python -m pytest --numprocesses=auto --maxprocesses=8 --dist=loadfile $(ARGS)

lint: $(STAMP) ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(STAGES:%=train-%): train-%: $(STAMP) ## train a stage
	$(FACEGEN) train $* profile=$(PROFILE) $(WORDS)

$(STAGES:%=resume-%): resume-%: $(STAMP) ## continue a stage's run, RUN=last or a folder
	$(FACEGEN) train $* resume=$(RUN) $(WORDS)

$(STAGES:%=evaluate-%): evaluate-%: $(STAMP) ## measure a stage's run on held-out data, RUN=last or a folder
	$(FACEGEN) evaluate $* run=$(RUN) $(WORDS)

$(EXPORTED:%=export-%): OUT = outputs/exported/$*
$(EXPORTED:%=export-%): export-%: $(STAMP) ## write a run's networks as files (face_judge, emotion_ldm), RUN=last or a folder, OUT=folder
	$(FACEGEN) export $* run=$(RUN) out=$(OUT)

$(PAPERS:%=reproduce-%): reproduce-%: $(STAMP) ## a paper's tables, ours beside the published [TABLE=3 of emotion_ldm]
	$(FACEGEN) reproduce $* $(TABLE:%=--table %) profile=$(PROFILE) $(WORDS)

$(GENERATED:%=generate-%): OUT = outputs/generated/$*
$(GENERATED:%=generate-%): generate-%: $(STAMP) ## new faces by the trained models, OUT=folder [SET="--people 4 --expression smile"]
	$(FACEGEN) generate $* --out $(OUT) $(SET)

EMOTION ?= happy
$(EDITED:%=edit-%): OUT = outputs/edited/$*
$(EDITED:%=edit-%): edit-%: $(STAMP) ## change photographs, IN=file or folder OUT=likewise [EMOTION=happy SET="--strength 500"]
	$(FACEGEN) edit $* --emotion $(EMOTION) $(SET) $(IN) $(OUT)

LAYOUT ?= facescape
OUT ?= outputs/data/$(LAYOUT)$(PEOPLE:%=-%)-seed0
data-population: $(STAMP) ## write embedded people, LAYOUT=facescape|bp4d|affectnet|ffhq|pairs [PEOPLE=200] OUT=folder
	$(FACEGEN) data population --layout $(LAYOUT) $(PEOPLE:%=--people %) --out $(OUT) $(SET)

data-sheet: OUT = outputs/people.png
data-sheet: $(STAMP) ## one picture with many embedded people, OUT=file.png [SET="--people 24"]
	$(FACEGEN) data sheet --out $(OUT) $(SET)

data-check: $(STAMP) ## say what a data set has and lacks, DATA=folder [SET=--deep]
	$(FACEGEN) data check $(or $(DATA),$(OUT)) $(SET)

data-prepare: $(STAMP) ## crop, resize and cache a data set's pictures, DATA=folder [SET="--pixels 256 --crop box"]
	$(FACEGEN) data prepare $(or $(DATA),$(OUT)) $(SET)

dashboard: $(STAMP) ## open MLflow on the runs recorded here
	$(FACEGEN) dashboard

compare: $(STAMP) ## a table of the runs recorded here
	$(FACEGEN) compare

bench: $(STAMP) ## speeds, each as a ratio measured in one run
	$(BIN)/python -m tests.bench

doctor: $(STAMP) ## versions, devices, room, weights and data found
	$(FACEGEN) doctor

stages:
	@echo $(STAGES)

papers:
	@echo $(PAPERS)

clean: ## remove .venv and caches; outputs/ stays
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
